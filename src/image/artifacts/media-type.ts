import { toGalleyError } from "../../errors.ts";

/** The annotation with a file's name (image-spec annotations.md). */
export const TITLE = "org.opencontainers.image.title";

/** What a file of this host is: by its name's ending where that is known, else text or bytes. */
export async function mediaTypeOf(path: string): Promise<string> {
  const file = Bun.file(path);
  const known = file.type;
  if (known !== "application/octet-stream") return known.replace(";charset", "; charset");
  const head = await file
    .slice(0, 512)
    .bytes()
    .catch((failure: unknown) => {
      throw toGalleyError(failure, { op: "read", subject: path });
    });
  return head.length > 0 && head.every((byte) => byte >= 0x20 || [9, 10, 12, 13, 27].includes(byte))
    ? "text/plain; charset=utf-8"
    : known;
}
