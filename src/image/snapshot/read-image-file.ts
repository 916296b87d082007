import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";

/** A file beside a layer's files that says that there are directories in them which hide what lower layers have. */
export const HAS_OPAQUE = "has-opaque";

/**
 * Content of a regular file of an image, `undefined` where the image has none of that name. A file larger than `max` bytes is
 * `resource_exhausted`. For what is needed at each start of a container, such as `/etc/passwd`: the usual case is a few calls of
 * node:fs, where a `LayerView`, which any other case is left to, first has the system calls to bind.
 *
 * @param lower as `OverlayDirectories.lower` gives it
 * @param path from the image's root
 */
export async function readImageFile(
  lower: readonly string[],
  path: string,
  max: number,
): Promise<Uint8Array | undefined> {
  const found = lookUp(lower, path.split("/"));
  if (found === "nowhere") return undefined;
  if (found !== "unclear") return readFile(found.file, path, max);
  const { LayerView } = await import("../layers/view/view.ts");
  using view = new LayerView(lower);
  return view.tryStat(path) === undefined ? undefined : view.readFile(path, max);
}

type Answer = { readonly file: string } | "nowhere" | "unclear";

function lookUp(lower: readonly string[], parts: readonly string[]): Answer {
  const names = parts.filter((part) => part !== "" && part !== ".");
  if (names.length === 0 || names.includes("..")) return "unclear";
  for (const layer of lower) {
    const answer = lookInto(layer, names);
    if (answer !== undefined) return answer;
  }
  return "nowhere";
}

/** What one layer says; `undefined` where it leaves the matter to those below. Layers do not change, so names mean what they meant. */
function lookInto(layer: string, names: readonly string[]): Answer | undefined {
  let path = layer;
  for (const [index, name] of names.entries()) {
    path = `${path}/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const last = index === names.length - 1;
    if (stats === undefined) return index > 0 && existsSync(join(layer, "..", HAS_OPAQUE)) ? "unclear" : undefined;
    if (stats.isCharacterDevice() && stats.rdev === 0) return "nowhere";
    if (last && stats.isFile()) return { file: path };
    if (last || !stats.isDirectory()) return "unclear";
  }
  return "unclear";
}

/** A container's own directory may be among the layers: what has become a FIFO since it was looked at must not hold us up. */
function readFile(file: string, path: string, max: number): Uint8Array {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new GalleyError("failed_precondition", "it is no file", { op: "read", subject: path });
    const { size } = stats;
    if (size > max) {
      throw new GalleyError("resource_exhausted", `the file is larger than ${max} bytes`, {
        op: "read",
        subject: path,
      });
    }
    const content = new Uint8Array(size);
    return content.subarray(0, size === 0 ? 0 : readSync(fd, content, 0, size, 0));
  } finally {
    closeSync(fd);
  }
}
