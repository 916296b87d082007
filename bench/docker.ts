import { rmSync } from "node:fs";
import { type Daemon, startDaemon, succeeds } from "./daemon.ts";

/** Starts dockerd, and with it the containerd of its own, where it is installed and none answers; undefined where there is nothing to start. */
export async function startDocker(): Promise<Daemon | undefined> {
  if (Bun.which("dockerd") === null || answers()) return undefined;
  // A file left by a daemon of another boot keeps a new one from starting.
  rmSync("/var/run/docker.pid", { force: true });
  return startDaemon(["dockerd"], ["docker", "info"]);
}

function answers(): boolean {
  return Bun.which("docker") !== null && succeeds(["docker", "info"]);
}
