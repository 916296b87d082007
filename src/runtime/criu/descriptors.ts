/** descriptors.json of a checkpoint: what the first process's standard streams were. */
import { readlinkSync } from "node:fs";
import { GalleyError } from "../../errors.ts";

export const DESCRIPTORS = "descriptors.json";

/** For each standard stream what /proc says it is: `pipe:[4711]`, `/dev/null`. */
export function describeStreams(pid: number): string {
  const links = [0, 1, 2].map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "/dev/null";
    }
  });
  return JSON.stringify(links);
}

/**
 * The pipes among them, to be replaced by this program's own streams. A checkpoint may come from anywhere: what is no list of at most three
 * strings is refused, and nothing in it names a file to open. Throws `data_loss`.
 */
export function pipesIn(text: string): readonly { readonly key: string; readonly fd: number }[] {
  return streamsIn(text).flatMap((link, fd) => (/^pipe:\[\d{1,20}\]$/.test(link) ? [{ key: link, fd }] : []));
}

function streamsIn(text: string): readonly string[] {
  const read = parsed(text);
  if (read === null) return [];
  if (Array.isArray(read) && read.length <= 3 && read.every((link) => typeof link === "string")) return read;
  throw new GalleyError("data_loss", "must be a list of three names at most", { subject: DESCRIPTORS });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GalleyError("data_loss", "is no JSON", { subject: DESCRIPTORS, cause });
  }
}
