/**
 * The readiness of a container, told to the service manager that started the runtime (sd_notify(3)): the container has a socket of its
 * own, and what it says there is passed on with the pid to watch. As runc does it. Loaded where NOTIFY_SOCKET is set.
 */
import { chmodSync, closeSync, mkdirSync } from "node:fs";
import { isAlive } from "../../linux/processes.ts";
import { bindTo, datagramSocket, pipe, receiveFrom, sendTo } from "../../linux/sys/datagram.ts";
import { awaitReadable } from "../../linux/sys/watch.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import type { Home } from "./home.ts";
import type { StoredState } from "./state.ts";

const INSIDE = "/run/notify";
const NAME = "notify.sock";
/** Milliseconds between two looks at the socket, and at most for the manager's answer to a barrier (sd_notify_barrier(3)). */
const LOOK = 20;
const BARRIER = 30_000;

/** Makes the directory of the socket, and has the container see it. */
export function withNotifySocket(config: RuntimeConfig, { notify }: Home): RuntimeConfig {
  mkdirSync(notify, { mode: 0o755 });
  const options = ["bind", "nosuid", "noexec", "nodev", "ro"];
  const { process, mounts = [] } = config;
  return {
    ...config,
    mounts: [...mounts, { destination: INSIDE, source: notify, type: "bind", options }],
    ...(process === undefined
      ? {}
      : { process: { ...process, env: [...(process.env ?? []), `NOTIFY_SOCKET=${INSIDE}/${NAME}`] } }),
  };
}

/** Binds the container's socket, before anything of the container can use it. */
export function openNotifySocket({ notify }: Home): number {
  const socket = datagramSocket();
  bindTo(socket, `${notify}/${NAME}`);
  chmodSync(`${notify}/${NAME}`, 0o777);
  return socket;
}

/**
 * Waits until the container says that it is ready, or has ended; then tells the manager at `host` so, and which process is the
 * service's main one. Closes the socket.
 */
export async function forwardReadiness(
  socket: number,
  host: string,
  container: StoredState,
  main: number,
): Promise<void> {
  try {
    const ready = await awaitReady(socket, container);
    if (ready !== undefined) tell(socket, host, ready, main);
  } finally {
    closeSync(socket);
  }
}

async function awaitReady(socket: number, container: StoredState): Promise<string | undefined> {
  for (;;) {
    const message = receiveFrom(socket, 4096);
    const lines = new TextDecoder().decode(message).split("\n");
    const ready = lines.find((line) => line.startsWith("READY="));
    if (ready !== undefined) return ready;
    if (message !== undefined) continue;
    if (!isAlive(container)) return undefined;
    await Bun.sleep(LOOK);
  }
}

/** A manager that knows barriers closes its end of the pipe once it has read everything before. */
function tell(socket: number, host: string, ready: string, main: number): void {
  const text = (line: string): Uint8Array => new TextEncoder().encode(line);
  sendTo(socket, host, text(`${ready}\n`));
  sendTo(socket, host, text(`MAINPID=${main}\n`));
  const [read, write] = pipe();
  try {
    sendTo(socket, host, text("BARRIER=1"), write);
    closeSync(write);
    awaitReadable(read, BARRIER);
  } finally {
    closeSync(read);
  }
}
