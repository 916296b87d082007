import { renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { toGalleyError } from "../../errors.ts";
import type { ContentStore } from "./content-store.ts";

/** Content that was written aside because its digest was not known before; deleted with its end unless it was put in place. */
export interface Spool extends Disposable {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Puts it in place under its digest. */
  place(): void;
}

/** Writes a stream aside and hashes it. `canceled` by the signal, and then nothing is left of it. */
export async function spool(
  content: ContentStore,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Spool> {
  content.prepare();
  const path = join(content.ingestDirectory, `stream-${crypto.randomUUID()}`);
  const hasher = new Bun.CryptoHasher("sha256");
  let size = 0;
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      hasher.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
  } catch (failure) {
    rmSync(path, { force: true });
    throw toGalleyError(failure, { op: "write", subject: path });
  } finally {
    await file.close();
  }
  const digest = `sha256:${hasher.digest("hex")}`;
  return {
    digest,
    size,
    place: () => renameSync(path, content.pathOf(digest)),
    [Symbol.dispose]: () => rmSync(path, { force: true }),
  };
}
