import { GalleyError } from "../../errors.ts";
import { Expansion } from "../verify/expansion.ts";
import { concat, decompress, readHead } from "./decompress.ts";
import { type OldFormat, oldFormatOf } from "./format.ts";

/** Debian's packages of the programs, which have the formats' names. */
const packages: Readonly<Record<OldFormat, string>> = { xz: "xz-utils", bzip2: "bzip2" };

/**
 * An archive that somebody gives us, as opposed to a layer: what `decompress` takes, and besides xz and bzip2, by the programs of those names,
 * as docker does. Errors: `data_loss`, `failed_precondition` where the program is missing.
 */
export async function* decompressArchive(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    const whole = concat(head, iterator);
    const format = oldFormatOf(head);
    yield* format === undefined ? decompress(whole) : throughProgram(format, whole);
  } finally {
    await iterator.return?.();
  }
}

async function* throughProgram(format: OldFormat, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (Bun.which(format) === null) throw missing(format);
  const expansion = new Expansion();
  await using child = Bun.spawn([format, "-dc"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const fed = feed(expansion.counting(source), child.stdin);
  fed.catch(() => child.kill());
  for await (const chunk of child.stdout) {
    expansion.check(chunk.length);
    yield chunk;
  }
  await fed;
  if ((await child.exited) !== 0) throw damaged(format, await new Response(child.stderr).text());
}

/** Gives the program all of it. What the program does not want any more, it says why by itself. */
async function feed(source: AsyncIterable<Uint8Array>, input: Bun.FileSink): Promise<void> {
  for await (const chunk of source) {
    try {
      input.write(chunk);
      await input.flush();
    } catch {
      return;
    }
  }
  await input.end();
}

function missing(format: OldFormat): GalleyError {
  return new GalleyError("failed_precondition", `it is compressed with ${format}, and there is no program ${format}`, {
    op: "decompress",
    hint: `apt-get install -y ${packages[format]}`,
  });
}

function damaged(format: OldFormat, output: string): GalleyError {
  return new GalleyError("data_loss", `the archive's ${format} data is damaged: ${output.trim().split("\n", 1)[0]}`, {
    op: "decompress",
  });
}
