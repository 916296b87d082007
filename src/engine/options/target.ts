import { posix } from "node:path";
import { invalidOption } from "./invalid.ts";

/** Where a mount goes, tidied. Throws `invalid_argument` for a relative path and for the root itself. */
export function mountTarget(text: string, type: string): string {
  if (!text.startsWith("/")) {
    throw invalidOption(
      `invalid mount config for type "${type}": invalid mount path: '${text}' mount path must be absolute`,
    );
  }
  const target = posix.normalize(text).replace(/(?<=.)\/$/, "");
  if (target === "/") {
    throw invalidOption(`invalid mount config for type "${type}": invalid specification: destination can't be '/'`);
  }
  return target;
}

/** A path that begins with a dot counts from the caller's working directory. */
export function hostPath(text: string): string {
  return text === "." || text === ".." || /^\.\.?\//.test(text) ? posix.resolve(text) : text;
}
