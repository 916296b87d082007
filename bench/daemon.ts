/** A program in the background that the benchmark started. */
export interface Daemon {
  /** Ends it and waits for its end. */
  stop(): Promise<void>;
}

const PATIENCE = 60_000;

/** Starts a daemon and waits until `probe` succeeds; its output goes to a file that is told of where it does not start. */
export async function startDaemon(command: readonly string[], probe: readonly string[]): Promise<Daemon> {
  const log = Bun.file(`/tmp/galley-bench-${command[0]}.log`);
  const child = Bun.spawn([...command], { stdio: ["ignore", log, log] });
  const deadline = Date.now() + PATIENCE;
  while (!succeeds(probe)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill();
      throw new Error(`${command[0]} does not start: ${(await log.text()).slice(-2000)}`);
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

/** Whether a command ends with status 0; what it says is not heard. */
export function succeeds(command: readonly string[]): boolean {
  return Bun.spawnSync([...command], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;
}
