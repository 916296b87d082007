/** A client of the shim's socket, as docs/recipes.md describes it: frames out, frames in, answers in order. */
import type { Socket, SocketHandler } from "bun";

type Handlers = SocketHandler<undefined>;

export interface Exit {
  readonly code: number;
  readonly signal: number;
  readonly oomKilled: boolean;
}

export class ShimClient {
  /** What the container has written since this client attached, by stream. */
  readonly #output = { 1: new Received(), 2: new Received() };
  #received: Buffer = Buffer.alloc(0);
  readonly #results: ((errno: number) => void)[] = [];
  readonly #statuses: ((text: string) => void)[] = [];
  readonly #watchers = new Set<() => void>();
  readonly exit: Promise<Exit>;
  readonly closed: Promise<void>;
  #resolveExit: (exit: Exit) => void = () => {};
  #resolveClosed: () => void = () => {};
  #socket: Socket<undefined> | undefined;
  #unsent: Buffer = Buffer.alloc(0);
  isClosed = false;

  private constructor() {
    this.exit = new Promise((resolve) => {
      this.#resolveExit = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  static async connect(path: string): Promise<ShimClient> {
    const client = new ShimClient();
    client.#socket = await Bun.connect({ unix: path, socket: client.#handlers() });
    return client;
  }

  /** For the descriptor on which a shim has a client from the beginning. */
  static async adopt(fd: number): Promise<ShimClient> {
    const client = new ShimClient();
    client.#socket = await Bun.connect({ fd, socket: client.#handlers() } as unknown as {
      unix: string;
      socket: Handlers;
    });
    return client;
  }

  #handlers(): Handlers {
    return {
      data: (_socket, bytes) => this.#take(bytes),
      drain: () => this.#flush(),
      error: () => {},
      close: () => {
        this.isClosed = true;
        this.#resolveClosed();
        this.#notify();
      },
    };
  }

  #send(bytes: Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  #flush(): void {
    const taken = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(taken, 0));
  }

  /** Bytes that the shim has not taken yet. */
  get unsent(): number {
    return this.#unsent.length;
  }

  /** Reads nothing until {@link read}. */
  stall(): void {
    this.#socket?.pause();
  }

  read(): void {
    this.#socket?.resume();
  }

  attach(flags = 3): Promise<number> {
    return this.#request("A", word(flags));
  }

  input(bytes: Uint8Array | string): void {
    this.#send(frame("I", Buffer.from(bytes)));
  }

  closeStdin(): void {
    this.#send(frame("C"));
  }

  resize(rows: number, columns: number): Promise<number> {
    return this.#request("W", word(rows | (columns << 16)));
  }

  kill(signal: number, flags = 0): Promise<number> {
    return this.#request("K", Buffer.concat([word(signal), word(flags)]));
  }

  pause(): Promise<number> {
    return this.#request("P");
  }

  resume(): Promise<number> {
    return this.#request("U");
  }

  noRestart(): Promise<number> {
    return this.#request("N");
  }

  status(): Promise<Record<string, string>> {
    const answer = new Promise<string>((resolve) => this.#statuses.push(resolve));
    this.#send(frame("S"));
    return answer.then(parseStatus);
  }

  /** Asks for the exit; the answer comes with the container's end. */
  wait(): Promise<Exit> {
    this.#send(frame("X"));
    return this.exit;
  }

  /** Resolves once stream 1 (and 2) contain `text`; rejects when the connection ends first. */
  async until(text: string): Promise<void> {
    const seen = { 1: 0, 2: 0 };
    while (!this.#has(1, text, seen) && !this.#has(2, text, seen)) {
      if (this.isClosed) throw new Error(`the shim closed before ${JSON.stringify(text)}: ${this.text(1)}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  text(stream: 1 | 2): string {
    return this.#output[stream].bytes.toString();
  }

  /** Looks behind what was looked at before. */
  #has(stream: 1 | 2, text: string, seen: { 1: number; 2: number }): boolean {
    const { bytes } = this.#output[stream];
    const from = Math.max(seen[stream] - Buffer.byteLength(text), 0);
    seen[stream] = bytes.length;
    return bytes.includes(text, from);
  }

  close(): void {
    this.#socket?.end();
  }

  #request(type: string, payload?: Buffer): Promise<number> {
    const answer = new Promise<number>((resolve) => this.#results.push(resolve));
    this.#send(frame(type, payload));
    return answer;
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    let at = 0;
    while (this.#received.length - at >= 8) {
      const size = this.#received.readUInt32LE(at + 4);
      if (this.#received.length - at - 8 < size) break;
      this.#handle(String.fromCharCode(this.#received[at] ?? 0), this.#received[at + 1] ?? 0, at + 8, size);
      at += 8 + size;
    }
    this.#received = this.#received.subarray(at);
    this.#notify();
  }

  #handle(type: string, stream: number, at: number, size: number): void {
    const payload = this.#received.subarray(at, at + size);
    if (type === "O" && (stream === 1 || stream === 2)) {
      this.#output[stream].add(payload);
    } else if (type === "R") this.#results.shift()?.(payload.readInt32LE(0));
    else if (type === "S") this.#statuses.shift()?.(payload.toString());
    else if (type === "X") {
      const [code, signal, oom] = [payload.readUInt32LE(0), payload.readUInt32LE(4), payload.readUInt32LE(8)];
      this.#resolveExit({ code, signal, oomKilled: oom !== 0 });
    } else throw new Error(`unknown frame ${type} ${stream}`);
  }

  #notify(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}

/** Bytes that grow at their end: a join for each arrival would copy a long output once for each of its pieces. */
class Received {
  #room: Buffer = Buffer.alloc(0);
  #size = 0;

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  add(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#room.length) {
      this.#room = Buffer.concat([this.bytes], 2 * (this.#size + bytes.length));
    }
    this.#room.set(bytes, this.#size);
    this.#size += bytes.length;
  }
}

export function parseStatus(text: string): Record<string, string> {
  const lines = text.trimEnd().split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
}

export function frame(type: string, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 0, "latin1");
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
