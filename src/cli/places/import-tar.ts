import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { applyChanges } from "../../engine/files/image-changes.ts";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { hostPlatform, parsePlatform } from "../../image/platform.ts";
import { decompressArchive } from "../../image/pull/decompress-archive.ts";
import { readRange, writeAll } from "../../image/transports/files/raw-file.ts";
import type { Images } from "../../image/types.ts";
import type { ImageConfig } from "../../spec/image.ts";
import { standardInput } from "../terminal/input.ts";

export interface ImportOptions {
  readonly name: string | undefined;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  readonly message: string;
  /** Empty: the host's. */
  readonly platform: string;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Makes an image of one layer out of the tar of a file system, compressed or not; gives its ID. `from` is a path, a URL or `-`. */
export async function importTar(images: Images, from: string, options: ImportOptions): Promise<string> {
  const { signal, scratch, name } = options;
  const config = applyChanges({}, options.changes);
  const path = join(scratch, `galley-import-${crypto.randomUUID()}`);
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path); // Nothing to clean up, whatever happens.
  try {
    const hasher = new Bun.CryptoHasher("sha256");
    let size = 0;
    for await (const chunk of decompressArchive(open(from, signal))) {
      signal.throwIfAborted();
      hasher.update(chunk);
      await writeAll(fd, chunk, size);
      size += chunk.length;
    }
    const diffId = `sha256:${hasher.digest("hex")}`;
    const layer = { diffId, open: () => readRange(fd, 0, size) };
    const image = await images.importImage(
      { config: document(config, diffId, from, options), layers: [layer], names: name === undefined ? [] : [name] },
      { signal },
    );
    return image.id;
  } finally {
    closeSync(fd);
  }
}

function document(
  config: ImageConfig["config"] & object,
  diffId: string,
  from: string,
  options: ImportOptions,
): ImageConfig {
  const created = new Date().toISOString();
  const comment = options.message === "" ? `Imported from ${from}` : options.message;
  const platform = options.platform === "" ? hostPlatform() : parsePlatform(options.platform);
  return {
    created,
    ...platform,
    config,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, comment }],
  };
}

async function* open(from: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (from === "-") {
    for await (const chunk of standardInput()) yield chunk.slice();
  } else if (/^https?:\/\//.test(from)) yield* download(from, signal);
  else {
    let fd: number;
    try {
      fd = openSync(from, "r");
    } catch (failure) {
      throw toGalleyError(failure, { op: "import", subject: from });
    }
    try {
      yield* readRange(fd, 0, Number.MAX_SAFE_INTEGER);
    } finally {
      closeSync(fd);
    }
  }
}

async function* download(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const response = await fetch(url, { signal, decompress: false } as BunFetchRequestInit);
  if (!response.ok || response.body === null) {
    throw new GalleyError(
      response.status === 404 ? "not_found" : "unavailable",
      `the server answered ${response.status}`,
      {
        op: "download",
        subject: url,
      },
    );
  }
  for await (const chunk of response.body) yield chunk;
}
