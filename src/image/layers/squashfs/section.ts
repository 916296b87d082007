import { pread } from "../../../linux/sys/sys.ts";
import { damaged } from "./fault.ts";

/** A stretch of a file that is something by itself. Offsets are counted from its beginning, in bytes. */
export interface Section {
  readonly size: number;
  /** Just so many bytes, in memory of their own; `data_loss` where some of them are outside. */
  read(offset: number, length: number, what: string): Buffer;
}

/** A stretch of an open file. What the file lost meanwhile is missed when it is read. */
export function fileSection(fd: number, start: number, size: number): Section {
  return {
    size,
    read(offset, length, what) {
      if (!inside(offset, length, size)) throw damaged(`${what} lies beyond its end`, offset);
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let done = 0; done < length; ) {
        const count = pread(fd, bytes.subarray(done), start + offset + done);
        if (count === 0) throw damaged(`${what} is cut short`, offset);
        done += count;
      }
      return bytes;
    },
  };
}

/** Whether a stretch lies in the first `size` bytes. Numbers too large to be exact never do. */
export function inside(offset: number, length: number, size: number): boolean {
  return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
}
