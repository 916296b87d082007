import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { standardOutput } from "../terminal/output.ts";
import { UsageError } from "../usage-error.ts";

/** Writes an archive to standard output, which must not be a terminal, or to a file, which is there whole or not at all. */
export async function writeArchive(cli: Cli, archive: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  if (file !== "") return writeFile(archive, resolve(file));
  if (cli.isTerminal(1))
    throw new UsageError("cowardly refusing to save to a terminal. Use the -o flag or redirect", 1, true);
  const output = standardOutput(1);
  for await (const chunk of archive) await output.write(chunk);
}

async function writeFile(archive: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile()) return writeInto(await create(path, path), archive);
  const temporary = `${path}.galley-${crypto.randomUUID()}`;
  const file = await create(temporary, path);
  try {
    await writeInto(file, archive);
    await rename(temporary, path);
  } catch (failure) {
    await rm(temporary, { force: true });
    throw failure;
  }
}

async function create(path: string, asked: string): Promise<FileHandle> {
  try {
    return await open(path, "w", 0o600);
  } catch (cause) {
    throw new GalleyError(toGalleyError(cause).code, "invalid output path", {
      op: "write",
      subject: asked,
      hint: `does ${dirname(asked)} exist, and may you write there?`,
    });
  }
}

async function writeInto(file: FileHandle, archive: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of archive) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
