import { GalleyError } from "../../errors.ts";
import type { ScpHost } from "./scp-ends.ts";

/** Programs that may keep images elsewhere, the first that is there. All save and load docker's archives. */
const PROGRAMS = "galley podman docker";

/** Writes the archive of an image of another store to a file. */
export function fetchImage(host: ScpHost, image: string, file: string, signal: AbortSignal): Promise<string> {
  return runThere(host, ["save", image], { stdin: "ignore", stdout: Bun.file(file) }, signal);
}

/** Loads an archive into another store; gives what the program there printed. */
export function sendImage(host: ScpHost, file: string, signal: AbortSignal): Promise<string> {
  return runThere(host, ["load"], { stdin: Bun.file(file), stdout: "pipe" }, signal);
}

type Streams = {
  readonly stdin: "ignore" | ReturnType<typeof Bun.file>;
  readonly stdout: "pipe" | ReturnType<typeof Bun.file>;
};

async function runThere(
  host: ScpHost,
  words: readonly string[],
  streams: Streams,
  signal: AbortSignal,
): Promise<string> {
  const [program = "", ...args] = commandFor(host, words);
  const path = Bun.which(program);
  if (path === null) throw new GalleyError("unavailable", `${program} is not there`, { op: "image scp" });
  const child = Bun.spawn([path, ...args], { ...streams, stderr: "inherit", signal });
  const text = streams.stdout === "pipe" ? await new Response(child.stdout as ReadableStream).text() : "";
  const status = await child.exited;
  signal.throwIfAborted();
  if (status === 0) return text;
  const subject = host.kind === "ssh" ? host.name : host.kind === "user" ? `${host.user}@localhost` : "";
  throw new GalleyError("unavailable", `${words[0]} there ended with status ${status}`, { op: "image scp", subject });
}

function commandFor(host: ScpHost, words: readonly string[]): readonly string[] {
  const script = scriptFor(words);
  // What ssh is given goes through the login shell there, whichever that is.
  if (host.kind === "ssh") return ["ssh", ...host.words, `sh -c ${quoted(script)}`];
  if (host.kind === "user") return ["runuser", "-l", "-s", "/bin/sh", "-c", script, "--", host.user];
  throw new GalleyError("internal", "this store is reached without a program", { op: "image scp" });
}

/** Runs the first of the programs; nothing but quoted words is put into it. */
function scriptFor(words: readonly string[]): string {
  const run = `command -v $p >/dev/null 2>&1 && exec $p ${words.map(quoted).join(" ")}`;
  return `for p in ${PROGRAMS}; do ${run}; done; echo "none of ${PROGRAMS} is there" >&2; exit 127`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
