import { GalleyError } from "../../../errors.ts";
import type { TarEntry, TarHandler } from "../tar/entry.ts";
import { TarParser } from "../tar/parser.ts";
import { LayerWriter } from "./layer-writer.ts";

export interface ExtractOptions {
  /** Whom everything belongs to; absent: whom the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What a name of the archive is called instead; hard links' targets too. */
  readonly rename?: (name: string) => string;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks an archive of files, which is not a layer, into a directory that may hold others. Directories are merged; a file takes
 * another's place, but a directory never a file's, nor a file a directory's. Every name is resolved below the directory.
 * @param directory descriptor of the directory; the caller's to close
 */
export async function extractTar(
  directory: number,
  tar: AsyncIterable<Uint8Array>,
  options: ExtractOptions = {},
): Promise<void> {
  using writer = new LayerWriter(directory, "files");
  const parser = new TarParser(new Adjusted(writer, options));
  for await (const chunk of tar) {
    if (options.signal?.aborted === true) throw new GalleyError("canceled", "the copy was called off", { op: "copy" });
    parser.push(chunk);
  }
  parser.finish();
  writer.finish();
}

/** Passes entries on under other names and owners. */
class Adjusted implements TarHandler {
  constructor(
    private readonly next: TarHandler,
    private readonly options: ExtractOptions,
  ) {}

  entry(entry: TarEntry): void {
    const { owner = {}, rename = (name: string) => name } = this.options;
    const linkName = entry.type === "hardlink" ? rename(entry.linkName) : entry.linkName;
    this.next.entry({ ...entry, ...owner, name: rename(entry.name), linkName });
  }

  data(bytes: Uint8Array, offset: number): void {
    this.next.data(bytes, offset);
  }

  end(): void {
    this.next.end();
  }
}
