import { patience } from "./patience.ts";

const DEFAULT_TIMEOUT = 60_000 * patience;

/** How a command is started. */
export interface SpawnSettings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** A running command whose output can be waited for. All times are milliseconds. */
export interface Session {
  readonly child: Bun.Subprocess;
  /** All output so far; on a terminal both streams are one, with its `\r\n`. */
  readonly stdout: string;
  readonly stderr: string;
  write(input: string | Uint8Array): void;
  /** Resolves when the output so far (of either stream) contains the text or matches; fails at the command's end. */
  waitFor(text: string | RegExp, timeout?: number): Promise<void>;
  /** Resolves with the exit status when the command has ended and its output is complete. Kills it at the timeout, and fails. */
  ended(timeout?: number): Promise<number>;
  kill(signal?: NodeJS.Signals): void;
}

/** What both kinds share: collected output and those who wait for it. */
abstract class Output {
  abstract readonly child: Bun.Subprocess;
  stdout = "";
  stderr = "";
  #changed = Promise.withResolvers<void>();
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  protected take(stream: "stdout" | "stderr", piece: Uint8Array): void {
    this[stream] += this.#decoders[stream].decode(piece, { stream: true });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves when no more output can come. */
  protected abstract complete(): Promise<void>;

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.child.kill(signal);
  }

  async waitFor(text: string | RegExp, timeout = DEFAULT_TIMEOUT): Promise<void> {
    const seen = () =>
      [this.stdout, this.stderr].some((output) =>
        typeof text === "string" ? output.includes(text) : text.test(output),
      );
    let over = false;
    const end = Promise.race([this.complete(), Bun.sleep(timeout)]).then(() => {
      over = true;
    });
    while (!seen()) {
      if (over) throw new Error(`${text} did not appear in:\n${this.stdout}${this.stderr}`);
      await Promise.race([this.#changed.promise, end]);
    }
  }

  async ended(timeout = DEFAULT_TIMEOUT): Promise<number> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeout);
    const killedAt = Date.now() + timeout;
    const status = await this.child.exited;
    clearTimeout(timer);
    // A process that the command left behind may hold the pipe; what it writes is not waited for.
    await Promise.race([this.complete(), Bun.sleep(1000)]);
    if (Date.now() >= killedAt) throw new Error(`still running after ${timeout} ms:\n${this.stdout}${this.stderr}`);
    return status;
  }
}

/** A command with a pipe for each stream. */
export class PipeSession extends Output implements Session {
  readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #read: Promise<void>;

  constructor(command: readonly string[], settings: SpawnSettings) {
    super();
    this.child = Bun.spawn([...command], { cwd: settings.cwd, env: settings.env, stdio: ["pipe", "pipe", "pipe"] });
    this.#read = Promise.all([this.#collect("stdout"), this.#collect("stderr")]).then(() => undefined);
  }

  async #collect(stream: "stdout" | "stderr"): Promise<void> {
    for await (const piece of this.child[stream]) this.take(stream, piece);
  }

  protected complete(): Promise<void> {
    return this.#read;
  }

  write(input: string | Uint8Array): void {
    if (input.length === 0) return;
    this.child.stdin.write(input);
    this.child.stdin.flush();
  }

  /** Ends the command's standard input. */
  end(): void {
    void this.child.stdin.end();
  }
}

/** A command on a pseudo-terminal. */
export class TerminalSession extends Output implements Session {
  readonly child: Bun.Subprocess;
  readonly #closed = Promise.withResolvers<void>();

  constructor(command: readonly string[], settings: SpawnSettings) {
    super();
    // Given as options: a terminal made beforehand would not become the command's controlling terminal.
    this.child = Bun.spawn([...command], {
      cwd: settings.cwd,
      env: settings.env,
      terminal: {
        cols: settings.columns ?? 80,
        rows: settings.rows ?? 24,
        data: (_, piece) => this.take("stdout", piece),
        exit: () => this.#closed.resolve(),
      },
    });
    // The slave may stay open elsewhere; the master is of no use once the command is gone.
    void this.child.exited.then(() => setTimeout(() => this.child.terminal?.close(), 100));
  }

  protected complete(): Promise<void> {
    return this.#closed.promise;
  }

  /** Types the keys: `\r` is Enter, `\x03` ctrl-c, `\x10\x11` ctrl-p ctrl-q. */
  write(input: string | Uint8Array): void {
    this.child.terminal?.write(input);
  }

  /** Changes the window's size; the command gets SIGWINCH. */
  resize(columns: number, rows: number): void {
    this.child.terminal?.resize(columns, rows);
  }
}
