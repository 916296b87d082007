import { decodeName } from "../../../linux/sys/sys.ts";
import type { LongNames } from "./build-entry.ts";
import type { Header } from "./header.ts";
import { malformed } from "./malformed.ts";
import { noRecords, overlaid, type PaxRecords, parsePax } from "./pax.ts";

/** Bounds on what an archive makes us remember: bytes of one extended header, of all global ones, and headers before one entry. */
const BYTES = 1 << 20;
const HEADERS = 32;

/** What stands before an entry's header and extends it: PAX records, for the one entry or all that follow, and GNU's long names. */
export class Extensions {
  #global: PaxRecords | undefined;
  #globalBytes = 0;
  #records: PaxRecords | undefined;
  #name: string | undefined;
  #linkName: string | undefined;
  #count = 0;

  /** Whether a header of this type is one of these: PAX, Solaris' and global PAX, GNU long name and link. */
  static has(flag: string): boolean {
    return flag === "x" || flag === "X" || flag === "g" || flag === "L" || flag === "K";
  }

  /** Whether there is something that no entry has followed. */
  get pending(): boolean {
    return this.#count > 0;
  }

  /** Room for the content of an extension that begins, if it is let in. */
  begin(header: Header): Buffer {
    const { size, offset, name, flag } = header;
    if (flag === "g") this.#globalBytes += size;
    else this.#count++;
    if (size < 0 || size > BYTES || this.#globalBytes > BYTES)
      throw malformed(`extended header of ${size} bytes`, offset, name);
    if (this.#count > HEADERS) throw malformed("too many extended headers for one entry", offset, name);
    return Buffer.allocUnsafe(size);
  }

  /** Takes an extension whose content is complete. */
  end(header: Header, content: Buffer): void {
    if (header.flag === "L") this.#name = untilNul(content);
    else if (header.flag === "K") this.#linkName = untilNul(content);
    else if (header.flag === "g") {
      this.#global ??= noRecords();
      parsePax(content, this.#global, header.offset);
    } else {
      this.#records ??= noRecords();
      parsePax(content, this.#records, header.offset);
    }
  }

  /** Records that hold for the entry at hand: its own over the global ones. */
  records(): PaxRecords | undefined {
    if (this.#global === undefined || this.#records === undefined) return this.#records ?? this.#global;
    return overlaid(this.#global, this.#records);
  }

  longNames(): LongNames {
    return { name: this.#name, linkName: this.#linkName };
  }

  /** The entry is done: what was said of it alone is forgotten. */
  reset(): void {
    this.#records = this.#name = this.#linkName = undefined;
    this.#count = 0;
  }
}

function untilNul(content: Buffer): string {
  const end = content.indexOf(0);
  return decodeName(end < 0 ? content : content.subarray(0, end));
}
