/**
 * A connection to one D-Bus peer or bus over its unix socket (D-Bus Specification, "Authentication Protocol", EXTERNAL). Who we are is
 * what the socket's other end sees: no user ID is sent, since in a user namespace ours is not theirs.
 */
import { GalleyError } from "../../../errors.ts";
import { decodeMessage, encodeMessage, type Message, messageType } from "./message.ts";
import type { DbusValue } from "./types.ts";

/** A method of an object; `destination` is needed on a bus alone. */
export interface Call {
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly DbusValue[];
}

/** What a peer refused: its name is the error's, as `org.freedesktop.systemd1.UnitExists`. */
export class DbusError extends Error {
  override readonly name = "DbusError";
  constructor(
    readonly errorName: string,
    message: string,
  ) {
    super(message);
  }
}

const HELLO = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
/** Milliseconds that an answer is waited for. */
const PATIENCE = 30_000;
/** The answers to the lines of {@link HELLO}: an empty challenge, and consent. */
const WELCOME = /^DATA\r\nOK [0-9a-f]+\r\n/;

interface Waiting {
  resolve(body: readonly DbusValue[]): void;
  reject(failure: Error): void;
}

type Socket = Bun.Socket<undefined>;

export class DbusConnection implements Disposable {
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners: ((signal: Message) => void)[] = [];
  #socket: Socket | undefined;
  #received: Uint8Array = new Uint8Array();
  #unsent: Uint8Array = new Uint8Array();
  #serial = 0;
  readonly #welcomed = Promise.withResolvers<void>();
  #isWelcome = false;
  #failure: Error | undefined;

  private constructor(readonly path: string) {}

  /**
   * Connects to a socket by its path, and waits until we are let in: a message that systemd reads together with the lines before it
   * lies there until another comes. Throws `unavailable` where nobody listens there, `deadline_exceeded` where nobody lets us in.
   * @param patience milliseconds that the welcome is waited for
   */
  static async open(path: string, patience = PATIENCE): Promise<DbusConnection> {
    const connection = new DbusConnection(path);
    try {
      connection.#socket = await Bun.connect({
        unix: path,
        socket: {
          data: (_, bytes) => connection.#receive(bytes),
          drain: () => connection.#flush(),
          close: () =>
            connection.#end(new GalleyError("unavailable", "the D-Bus connection was closed", { subject: path })),
          error: (_, failure) => connection.#end(failure),
        },
      });
    } catch (cause) {
      throw new GalleyError("unavailable", "nobody listens at the D-Bus socket", { subject: path, cause });
    }
    connection.#send(new TextEncoder().encode(HELLO));
    const late = new GalleyError("deadline_exceeded", "the D-Bus peer does not answer", { subject: path });
    const timer = setTimeout(() => connection.#abandon(late), patience);
    await connection.#welcomed.promise.finally(() => clearTimeout(timer));
    return connection;
  }

  /** Calls a method; resolves with the values that it returns. Throws {@link DbusError} for what the peer refuses. */
  call(call: Call): Promise<readonly DbusValue[]> {
    const serial = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<readonly DbusValue[]>();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#waiting.set(serial, { resolve, reject });
    this.#send(encodeMessage({ signature: "", body: [], ...call, type: messageType.call, serial }));
    const late = new GalleyError("deadline_exceeded", `no answer to ${call.member} came`, { subject: this.path });
    const timer = setTimeout(() => reject(late), PATIENCE);
    return promise.finally(() => clearTimeout(timer));
  }

  /** Calls back for each signal that arrives. */
  onSignal(listener: (signal: Message) => void): void {
    this.#listeners.push(listener);
  }

  [Symbol.dispose](): void {
    this.#failure ??= new GalleyError("canceled", "the D-Bus connection is closed", { subject: this.path });
    this.#socket?.end();
  }

  #send(bytes: Uint8Array): void {
    this.#unsent = this.#unsent.length === 0 ? bytes : Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  #flush(): void {
    if (this.#unsent.length === 0) return;
    const written = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(0, written));
  }

  #receive(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    try {
      if (!this.#isWelcome && !this.#welcome()) return;
      for (let next = decodeMessage(this.#received); next !== undefined; next = decodeMessage(this.#received)) {
        this.#received = this.#received.subarray(next.length);
        this.#take(next.message);
      }
    } catch (failure) {
      this.#abandon(failure as Error);
    }
  }

  /** Whether the lines before the first message have all come. */
  #welcome(): boolean {
    const text = new TextDecoder("latin1").decode(this.#received.subarray(0, 512));
    const found = WELCOME.exec(text);
    this.#isWelcome = found !== null;
    this.#received = this.#received.subarray(found?.[0].length ?? 0);
    if (found === null && (text.includes("REJECTED") || text.includes("ERROR"))) {
      throw new GalleyError("permission_denied", "the D-Bus peer does not take this user", { subject: this.path });
    }
    if (found !== null) this.#welcomed.resolve();
    return this.#isWelcome;
  }

  #take(message: Message): void {
    if (message.type === messageType.signal) for (const listener of this.#listeners) listener(message);
    const waiting = this.#waiting.get(message.replySerial ?? 0);
    if (waiting === undefined) return;
    this.#waiting.delete(message.replySerial ?? 0);
    if (message.type === messageType.reply) waiting.resolve(message.body);
    else waiting.reject(new DbusError(message.errorName ?? "", String(message.body[0] ?? message.errorName)));
  }

  #abandon(failure: Error): void {
    this.#end(failure);
    this.#socket?.end();
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#welcomed.reject(this.#failure);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
