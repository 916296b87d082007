import { expect, test } from "bun:test";
import type { AttachEvent, Attachment } from "../../engine/types.ts";
import { BrokenPipe } from "../write-text.ts";
import type { Output } from "./output.ts";
import { runSession } from "./session.ts";

/** An attachment that plays events and notes what it is told. Events of a detached one end. */
class Played implements Attachment {
  readonly notes: string[] = [];
  #release: (() => void) | undefined;
  readonly detached = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  constructor(
    readonly played: readonly AttachEvent[],
    readonly waits = false,
  ) {}

  get events(): AsyncIterable<AttachEvent> {
    const { played, waits, detached } = this;
    return (async function* () {
      yield* played;
      if (waits) await detached;
    })();
  }

  async write(data: Uint8Array): Promise<void> {
    this.notes.push(`write ${Buffer.from(data)}`);
  }
  closeStdin(): void {
    this.notes.push("close");
    if (this.waits) this.#release?.();
  }
  async resize(): Promise<void> {}
  async signal(): Promise<void> {}
  detach(): void {
    this.notes.push("detach");
    this.#release?.();
  }
}

function memory(): Output & { text: string } {
  return {
    text: "",
    async write(data) {
      this.text += Buffer.from(data);
    },
  };
}

async function* typed(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

const output = (stream: "stdout" | "stderr", text: string): AttachEvent => ({
  kind: "output",
  stream,
  data: Buffer.from(text),
});

test("streams go to their places and the status comes back", async () => {
  const [stdout, stderr] = [memory(), memory()];
  const played = new Played([
    output("stdout", "a"),
    output("stderr", "b"),
    output("stdout", "c"),
    { kind: "exit", code: 7, oomKilled: false },
  ]);
  expect(await runSession(played, { stdout, stderr })).toEqual({ kind: "exit", code: 7 });
  expect([stdout.text, stderr.text]).toEqual(["ac", "b"]);
});

test("a stream that is not attached is dropped", async () => {
  const stderr = memory();
  const played = new Played([
    output("stdout", "a"),
    output("stderr", "b"),
    { kind: "exit", code: 0, oomKilled: false },
  ]);
  await runSession(played, { stderr });
  expect(stderr.text).toBe("b");
});

test("the end of the input closes the container's", async () => {
  const played = new Played([], true);
  expect(await runSession(played, { input: typed("x", "y") })).toEqual({ kind: "lost" });
  expect(played.notes).toEqual(["write x", "write y", "close"]);
});

test("the detach keys leave, and what was typed before them arrives", async () => {
  const played = new Played([], true);
  const end = await runSession(played, { input: typed("ab\x10", "\x11cd"), detachKeys: Uint8Array.of(16, 17) });
  expect(end).toEqual({ kind: "detached" });
  expect(played.notes).toEqual(["write ab", "detach"]);
});

test("an output that nobody reads detaches", async () => {
  const played = new Played([output("stdout", "a")], true);
  const stdout: Output = { write: () => Promise.reject(new BrokenPipe()) };
  expect(await runSession(played, { stdout })).toEqual({ kind: "broken-pipe" });
  expect(played.notes).toEqual(["detach"]);
});
