import { posix } from "node:path";
import { nameOf, storedSize, text, typeOf } from "../../layers/tar/build-entry.ts";
import { Extensions } from "../../layers/tar/extensions.ts";
import { BLOCK, isZero } from "../../layers/tar/fields.ts";
import { parseHeader } from "../../layers/tar/header.ts";
import { cutShort, malformed } from "../../layers/tar/malformed.ts";
import { readAt } from "./raw-file.ts";

/** Where the content of a file lies in an archive, in bytes. */
export interface Stretch {
  readonly offset: number;
  readonly size: number;
}

/** Members that are taken note of: more than any image needs, and few enough to remember. */
const MAX_MEMBERS = 500_000;

/** Links that are followed from one to the next. */
const MAX_LINKS = 16;

/** What an archive on disk holds, found by its headers alone: contents are passed over. */
export class TarIndex {
  readonly #files = new Map<string, Stretch>();
  readonly #links = new Map<string, string>();

  /** Looks through an archive of `length` bytes. Malformed or truncated ones are refused with the place of the fault. */
  static async read(fd: number, length: number): Promise<TarIndex> {
    const index = new TarIndex();
    const extensions = new Extensions();
    for (let at = 0, count = 0; at < length; count++) {
      if (count > MAX_MEMBERS) throw malformed(`more than ${MAX_MEMBERS} members`, at);
      const block = await exactly(fd, at, BLOCK);
      if (isZero(block)) {
        if (extensions.pending) throw malformed("extended header without an entry", at);
        break;
      }
      at += await index.#member(fd, block, at, extensions);
      if (at > length) throw cutShort("within content", at);
    }
    return index;
  }

  /** Takes one header in; gives the bytes up to the next. */
  async #member(fd: number, block: Buffer, at: number, extensions: Extensions): Promise<number> {
    const header = parseHeader(block, at);
    if (Extensions.has(header.flag)) {
      extensions.begin(header);
      extensions.end(header, await exactly(fd, at + BLOCK, header.size));
      return BLOCK + whole(header.size);
    }
    if (header.flag === "V") return BLOCK;
    const records = extensions.records();
    const name = nameOf(header, records, extensions.longNames());
    const type = typeOf(header, name);
    const size = storedSize(header, type, records, name);
    if (header.flag === "S" || text(records, "GNU.sparse.major") !== "" || text(records, "GNU.sparse.map") !== "") {
      throw malformed("a sparse file, which image archives do not have", at, name);
    }
    const path = plainPath(name);
    if (type === "file") this.#files.set(path, { offset: at + BLOCK, size });
    else if (type === "hardlink" || type === "symlink") {
      const target = extensions.longNames().linkName ?? (text(records, "linkpath") || header.linkName);
      const from = type === "symlink" ? posix.dirname(path) : ".";
      this.#links.set(path, plainPath(posix.join(from, target)));
    }
    extensions.reset();
    return BLOCK + whole(size);
  }

  /** Where a file's content is; links are followed within the archive. A name that occurs twice means the last one. */
  find(path: string): Stretch | undefined {
    let at = plainPath(path);
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      const target = this.#links.get(at);
      if (target === undefined) return undefined;
      at = target;
    }
    throw malformed("links that lead in a circle", 0, path);
  }
}

/** `./a//b/` and `a/b` are the same; nothing leads out, since `..` at the top stays there. */
function plainPath(name: string): string {
  return posix.join("/", name).replace(/\/+$/, "").slice(1);
}

function whole(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

async function exactly(fd: number, at: number, length: number): Promise<Buffer> {
  const bytes = await readAt(fd, at, length);
  if (bytes.length < length) throw cutShort("within a header", at);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
