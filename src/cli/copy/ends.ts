/** The two ends of `cp`, as docker reads them. */
import { UsageError } from "../usage-error.ts";

/** `path` is as it was written: a slash or `/.` at its end means something. */
export type CopyEnd =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "stream" }
  | { readonly kind: "container"; readonly container: string; readonly path: string };

/** `CONTAINER:PATH`, or a path of the host: what is absolute, has no colon, or a dot before it (`./a:b`), is never a container's. */
export function parseEnd(text: string): CopyEnd {
  if (text === "-") return { kind: "stream" };
  const colon = text.indexOf(":");
  if (text.startsWith("/") || text.startsWith(".") || colon < 0) return { kind: "local", path: text };
  return { kind: "container", container: text.slice(0, colon), path: text.slice(colon + 1) };
}

type Direction =
  | { readonly from: Extract<CopyEnd, { kind: "container" }>; readonly to: Exclude<CopyEnd, { kind: "container" }> }
  | { readonly from: Exclude<CopyEnd, { kind: "container" }>; readonly to: Extract<CopyEnd, { kind: "container" }> };

/** Which way to copy; just one end must be a container's. */
export function directionOf(source: string, destination: string): Direction {
  if (source === "") throw new UsageError("source can not be empty", 1, true);
  if (destination === "") throw new UsageError("destination can not be empty", 1, true);
  const [from, to] = [parseEnd(source), parseEnd(destination)];
  if (from.kind === "container" && to.kind !== "container") return { from, to };
  if (from.kind !== "container" && to.kind === "container") return { from, to };
  if (from.kind === "container") throw new UsageError("copying between containers is not supported", 1, true);
  throw new UsageError("must specify at least one container source", 1, true);
}
