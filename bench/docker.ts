import { rmSync } from "node:fs";

/** A docker daemon that the benchmark started. */
export interface Docker {
  /** Ends it, and with it the containerd that it started. */
  stop(): Promise<void>;
}

const PATIENCE = 60_000;

/** Starts dockerd where it is installed and none answers; undefined where there is nothing to start. */
export async function startDocker(): Promise<Docker | undefined> {
  if (Bun.which("dockerd") === null || answers()) return undefined;
  // A file left by a daemon of another boot keeps a new one from starting.
  rmSync("/var/run/docker.pid", { force: true });
  const log = Bun.file("/tmp/galley-bench-dockerd.log");
  const child = Bun.spawn(["dockerd"], { stdio: ["ignore", log, log] });
  const deadline = Date.now() + PATIENCE;
  while (!answers()) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill();
      throw new Error(`dockerd does not start: ${(await log.text()).slice(-2000)}`);
    }
    await Bun.sleep(200);
  }
  return {
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

function answers(): boolean {
  if (Bun.which("docker") === null) return false;
  return Bun.spawnSync(["docker", "info"], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
}
