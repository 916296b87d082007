/** Where systemd keeps a container: the unit's name and the cgroup behind it. */
import { GalleyError } from "../../errors.ts";

const SUBJECT = "linux.cgroupsPath";

/** A scope, or a slice where the name says so. */
export interface UnitName {
  readonly unit: string;
  /** The slice that the unit is in. */
  readonly slice: string;
  /** The name alone, for the unit's description. */
  readonly name: string;
}

/**
 * The unit of `linux.cgroupsPath` in the form `slice:prefix:name`, which other runtimes agree on. An empty slice is the usual one, an
 * empty path the container's ID with runc's prefix. Throws `invalid_argument` in runc's words.
 */
export function unitOf(path: string, id: string, isUser: boolean): UnitName {
  const usual = isUser ? "user.slice" : "system.slice";
  const parts = path === "" ? ["", "runc", id] : path.split(":");
  if (parts.length !== 3) {
    const message = `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got ${JSON.stringify(path)} instead`;
    throw new GalleyError("invalid_argument", message, { subject: SUBJECT });
  }
  const [slice = "", prefix = "", name = ""] = parts;
  if (name.endsWith(".slice")) return { unit: name, slice: slice || usual, name };
  return { unit: `${prefix}-${name}.scope`, slice: slice || usual, name };
}

export function isSlice(unit: string): boolean {
  return unit.endsWith(".slice");
}

/** The cgroup of a slice below its manager's: `a-b.slice` is `/a.slice/a-b.slice`, `-.slice` is the top (systemd.slice(5)). */
export function slicePath(slice: string): string {
  const invalid = () => new GalleyError("invalid_argument", `invalid slice name: ${slice}`, { subject: SUBJECT });
  if (!slice.endsWith(".slice") || slice.includes("/")) throw invalid();
  const name = slice.slice(0, -".slice".length);
  if (name === "-") return "/";
  const parts = name.split("-");
  if (parts.includes("")) throw invalid();
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}
