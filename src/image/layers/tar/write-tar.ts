import { GalleyError } from "../../../errors.ts";
import { shown } from "./malformed.ts";
import { type NewEntry, tarEnd, tarHeader, tarPadding } from "./write-header.ts";

/** An entry and its content, which must have just the size that the entry says. */
export interface NewMember {
  readonly entry: NewEntry;
  readonly content?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** The archive of these entries, in their order, as it is made. */
export async function* writeTar(
  members: Iterable<NewMember> | AsyncIterable<NewMember>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { entry, content } of members) {
    yield tarHeader(entry);
    const size = entry.size ?? 0;
    let written = 0;
    for await (const chunk of content instanceof Uint8Array ? [content] : (content ?? [])) {
      written += chunk.length;
      if (written > size) throw wrongSize(entry, "more");
      if (chunk.length > 0) yield chunk;
    }
    if (written < size) throw wrongSize(entry, "less");
    if (size > 0) yield tarPadding(size);
  }
  yield tarEnd();
}

/** The header with the size is out already, so the archive cannot be saved. */
function wrongSize(entry: NewEntry, what: "more" | "less"): GalleyError {
  return new GalleyError("aborted", `the file has ${what} content than the ${entry.size ?? 0} bytes it had before`, {
    op: "archive",
    subject: shown(entry.name),
  });
}
