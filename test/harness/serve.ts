import { join } from "node:path";
import { galleyProgram } from "./galley.ts";

/** A `galley registry serve` that runs. */
export interface ServedRegistry {
  /** `127.0.0.1:PORT`, as references begin. */
  readonly host: string;
  readonly url: string;
  readonly child: Bun.Subprocess;
  /** Sends the signal and waits for the end; gives the exit status. */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number>;
}

/** Starts a server on a free port of its own choice, or `port`, with its storage at `root`; `flags` are added to its command line. */
export async function serveRegistry(
  root: string,
  flags: readonly string[] = [],
  { port = 0, env = {} }: { readonly port?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ServedRegistry> {
  const child = Bun.spawn(
    [galleyProgram(), "registry", "serve", "--listen", `127.0.0.1:${port}`, "--root", root, ...flags],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env.PATH, HOME: root, GALLEY_ROOT: join(root, "unused"), ...env },
    },
  );
  const url = await addressOf(child.stderr);
  return {
    host: new URL(url).host,
    url,
    child,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return child.exited;
    },
  };
}

/** What the server says first is where it listens; the rest is read lest it blocks. */
async function addressOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  let said = "";
  for (;;) {
    const { value, done } = await reader.read();
    said += Buffer.from(value ?? []).toString();
    const found = /listening on (\S+)\n/.exec(said)?.[1];
    if (found !== undefined) {
      void drain(reader);
      return found;
    }
    if (done) throw new Error(`the registry does not start: ${said}`);
  }
}

async function drain(reader: { read(): Promise<{ readonly done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}
