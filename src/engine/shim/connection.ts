import type { Socket, SocketHandler } from "bun";
import { FrameReader, frame, killFlag, PAYLOAD_LIMIT, request, type ShimExit, shorts, words } from "./frames.ts";

/** The longest path that a socket's address holds (unix(7)). */
const LONGEST_PATH = 107;

/** Error numbers of what the shim answers where it has gone before it answered. */
const ESRCH = 3;

type Output = (stream: 1 | 2, data: Uint8Array) => void;
/** Called with the container's exit, and at the end of the connection. */
type End = (exit: ShimExit | undefined) => void;

/** A connection to a shim. Requests are answered in order; the end of the connection answers all that are open. */
export class ShimConnection {
  /** How the container ended, once {@link askExit} was called; undefined where the connection ended without a word. */
  readonly exit: Promise<ShimExit | undefined>;
  #endExit!: (exit: ShimExit | undefined) => void;
  #socket: Socket<undefined> | undefined;
  #unsent: Uint8Array[] = [];
  #drained: (() => void)[] = [];
  #answers: ((errno: number) => void)[] = [];
  #closed = false;
  readonly #output: Output;
  readonly #onEnd: End;

  private constructor(output: Output, onEnd: End) {
    this.#output = output;
    this.#onEnd = onEnd;
    this.exit = new Promise((resolve) => {
      this.#endExit = resolve;
    });
  }

  /** Connects to a shim's socket; undefined where no shim listens. `output` gets what is written once attached. */
  static async connect(
    path: string,
    output: Output = () => {},
    onEnd: End = () => {},
  ): Promise<ShimConnection | undefined> {
    const connection = new ShimConnection(output, onEnd);
    try {
      await withAddress(path, async (unix) => {
        connection.#socket = await Bun.connect({ unix, socket: connection.#handlers() });
      });
      return connection;
    } catch (failure) {
      const { code } = failure as { code?: unknown };
      if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
      throw failure;
    }
  }

  /** Takes over the descriptor on which the shim has us as its first client. */
  static async adopt(fd: number, output: Output, onEnd: End = () => {}): Promise<ShimConnection> {
    const connection = new ShimConnection(output, onEnd);
    // The types lack this form of connect, which Bun has had since 1.1.
    const options = { fd, socket: connection.#handlers() } as unknown as Bun.UnixSocketOptions;
    connection.#socket = await Bun.connect(options);
    return connection;
  }

  #handlers(): SocketHandler<undefined> {
    const reader = new FrameReader({
      output: this.#output,
      result: (errno) => this.#answers.shift()?.(errno),
      exit: (exit) => this.#exited(exit),
    });
    return {
      data: (_socket, bytes) => reader.feed(bytes),
      drain: () => this.#flush(),
      error: () => this.close(),
      close: () => this.#end(),
    };
  }

  /** Resolves with the error number of the answer, 0 for success. */
  request(type: number, payload?: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.resolve(ESRCH);
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#send(frame(type, payload));
    });
  }

  /** @param noRestart a restart policy does not hold any more */
  kill(signal: number, noRestart: boolean): Promise<number> {
    return this.request(request.kill, words(signal, noRestart ? killFlag.noRestart : 0));
  }

  resize(rows: number, columns: number): Promise<number> {
    return this.request(request.window, shorts(rows, columns));
  }

  /** Makes {@link exit} resolve. */
  askExit(): void {
    this.#send(frame(request.exit));
  }

  closeStdin(): void {
    this.#send(frame(request.closeStdin));
  }

  /** Sends to the container's standard input; resolves when the kernel has taken it all. */
  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += PAYLOAD_LIMIT) {
      this.#send(frame(request.input, data.subarray(at, at + PAYLOAD_LIMIT)));
    }
    while (this.#unsent.length > 0 && !this.#closed) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** A connection that is open keeps the process alive. */
  close(): void {
    this.#socket?.end();
    this.#end();
  }

  #send(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#unsent.push(bytes);
    this.#flush();
  }

  #flush(): void {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      const taken = Math.max(this.#socket?.write(next) ?? 0, 0);
      if (taken < next.length) {
        this.#unsent[0] = next.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  #exited(exit: ShimExit | undefined): void {
    this.#endExit(exit);
    this.#onEnd(exit);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const answer of this.#answers) answer(ESRCH);
    this.#answers = [];
    this.#exited(undefined);
    this.#wake();
  }
}

/** A longer path is reached through a descriptor of its directory. */
async function withAddress(path: string, connect: (address: string) => Promise<void>): Promise<void> {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return connect(path);
  const { closeSync, openSync } = await import("node:fs");
  const slash = path.lastIndexOf("/");
  const fd = openSync(path.slice(0, slash), "r");
  try {
    await connect(`/proc/self/fd/${fd}${path.slice(slash)}`);
  } finally {
    closeSync(fd);
  }
}
