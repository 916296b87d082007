/** A host of its own for tests: network namespaces in which the bridge is made, with a neighbour on a wire. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PortRequest, PublishedPort } from "../../src/network/types.ts";
import { native } from "../native/program.ts";

export const needs = { root: true, commands: ["ip", "unshare", "nsenter", "iptables", "ss", "busybox"] } as const;

const folder = import.meta.dir;

type Space = ReturnType<typeof hold>;

/** A process that keeps namespaces until its standard input is closed, which also happens when the test's process dies. */
function hold() {
  const script = "mount -t sysfs sysfs /sys && ip link set lo up && echo ready && exec cat";
  return Bun.spawn(["unshare", "-n", "-m", "--propagation", "private", "sh", "-c", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

async function ready(space: Space): Promise<void> {
  for await (const _ of space.stdout) return;
}

export interface StartedContainer {
  readonly id: string;
  readonly pid: number;
  readonly address: string;
  readonly macAddress: string;
  readonly gateway: string;
  readonly ports: readonly PublishedPort[];
  /** How many attempts the start took. */
  readonly attempt: number;
}

export interface StartWish {
  readonly id: string;
  readonly ports?: readonly PortRequest[];
  readonly address?: string;
  readonly script?: string;
  readonly restart?: boolean;
  /** Another store than the lab's own. */
  readonly store?: string;
}

export const HOST = "192.0.2.1";
export const NEIGHBOUR = "192.0.2.2";

/** The host has 192.0.2.1 towards its neighbour, which routes everything to it. */
export class Lab implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "galley-network-"));
  readonly #host = hold();
  readonly #neighbour = hold();
  readonly #pids: number[] = [];

  static async open(): Promise<Lab> {
    const lab = new Lab();
    await Promise.all([ready(lab.#host), ready(lab.#neighbour)]);
    const wire = `ip link add wire type veth peer name wire netns ${lab.#neighbour.pid}`;
    await lab.host(`${wire}; ip addr add ${HOST}/24 dev wire; ip link set wire up`);
    await lab.neighbour(`ip addr add ${NEIGHBOUR}/24 dev wire; ip link set wire up; ip route add default via ${HOST}`);
    return lab;
  }

  /** Runs a shell script on the host; its output, without the last line break. Fails where the script does. */
  host(script: string): Promise<string> {
    return this.#run(this.#host.pid, ["sh", "-ec", script]);
  }

  neighbour(script: string): Promise<string> {
    return this.#run(this.#neighbour.pid, ["sh", "-ec", script]);
  }

  /** Runs a shell script in a container's network namespace. */
  within({ pid }: StartedContainer, script: string): Promise<string> {
    return this.#run(pid, ["sh", "-ec", script], ["-n"]);
  }

  /** Says something to a server and returns the answer, which is the client's address as the server sees it. */
  ask(
    from: "host" | "neighbour" | StartedContainer,
    protocol: "tcp" | "udp",
    to: string,
    port: number,
    ownPort: readonly number[] = [],
  ): Promise<string> {
    const pid = from === "host" ? this.#host.pid : from === "neighbour" ? this.#neighbour.pid : from.pid;
    return this.#run(
      pid,
      [process.execPath, join(folder, "client.ts"), protocol, to, ...[port, ...ownPort].map(String)],
      ["-n"],
    );
  }

  /** Does one thing with the store's networks, in a process of its own. */
  async drive<Result>(action: string, input: object = {}): Promise<Result> {
    const setting = JSON.stringify({ path: this.path, native: native(), ...input });
    const words = await this.#run(this.#host.pid, [process.execPath, join(folder, "driver.ts"), action, setting]);
    return JSON.parse(words) as Result;
  }

  async start(wish: StartWish): Promise<StartedContainer> {
    const container = await this.drive<StartedContainer>("start", { wish });
    this.#pids.push(container.pid);
    return container;
  }

  /** A container with a server that answers on port 80, TCP and UDP. */
  async serve(wish: StartWish): Promise<StartedContainer> {
    const server = `rm -f ${this.path}/${wish.id}.up; exec ${process.execPath} ${join(folder, "server.ts")} ${this.path}/${wish.id}.up`;
    const container = await this.start({ ...wish, script: server });
    await this.serves(wish.id);
    return container;
  }

  /** The same server outside of any container; ended with its scope. `up` is the file it makes. */
  hostServer(up: string): Disposable {
    return this.#server(this.#host.pid, up);
  }

  neighbourServer(up: string): Disposable {
    return this.#server(this.#neighbour.pid, up);
  }

  /** Something of the host that listens on a TCP port. */
  hostListener(port: number): Disposable {
    const child = Bun.spawn([
      "nsenter",
      "-t",
      String(this.#host.pid),
      "-n",
      "busybox",
      "nc",
      "-ll",
      "-p",
      String(port),
    ]);
    return { [Symbol.dispose]: () => child.kill("SIGKILL") };
  }

  #server(pid: number, up: string): Disposable {
    const child = Bun.spawn(["nsenter", "-t", String(pid), "-n", process.execPath, join(folder, "server.ts"), up]);
    return { [Symbol.dispose]: () => child.kill("SIGKILL") };
  }

  /** Waits until the server of a container is up. */
  async serves(id: string): Promise<void> {
    await this.host(`for i in $(seq 500); do test -e ${this.path}/${id}.up && exit; sleep 0.02; done; exit 1`);
  }

  /** Kills the shim with its container: nobody cleans up. */
  async crash({ id, pid }: StartedContainer): Promise<void> {
    const [, shim] = /^shim (\d+)/m.exec(readFileSync(join(this.path, id, "status"), "utf8")) ?? [];
    process.kill(Number(shim), "SIGKILL");
    process.kill(pid, "SIGKILL");
    await this.host(`for i in $(seq 500); do test -e /proc/${pid} || exit 0; sleep 0.02; done; exit 1`);
  }

  /** Kills a container and waits until its shim has cleaned up. */
  async end({ id, pid }: StartedContainer): Promise<void> {
    process.kill(pid, "SIGKILL");
    await this.host(`for i in $(seq 500); do test -e ${this.path}/${id}/shim.sock || exit 0; sleep 0.02; done; exit 1`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#pids) killQuietly(pid);
    for (const space of [this.#host, this.#neighbour]) {
      await space.stdin.end();
      await space.exited;
    }
    rmSync(this.path, { recursive: true, force: true });
  }

  async #run(pid: number, command: readonly string[], namespaces: readonly string[] = ["-n", "-m"]): Promise<string> {
    const child = Bun.spawn(["nsenter", "-t", String(pid), ...namespaces, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, error, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (status !== 0) throw new Error(`${command.at(-1)}: status ${status}: ${error}${out}`);
    return out.trimEnd();
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== "ESRCH") throw failure;
  }
}
