import { closeSync, readFileSync } from "node:fs";
import { AT_FDCWD, O } from "../../linux/sys/flags.ts";
import { openat, openInRoot } from "../../linux/sys/open.ts";
import { parsePasswd } from "../../linux/users.ts";
import type { ProcessConfig } from "../../spec/runtime.ts";

/**
 * The process with the environment that runtimes give it: of a variable that is there twice the last one, in its first place; and HOME,
 * from the container's passwd where nothing else is said.
 */
export function withEnvironment(process: ProcessConfig, rootfs: string): ProcessConfig {
  const variables = new Map((process.env ?? []).map((text) => [text.split("=", 1)[0] ?? "", text]));
  const home = variables.get("HOME");
  if (home === undefined || home === "HOME=") variables.set("HOME", `HOME=${homeOf(process.user.uid, rootfs)}`);
  return { ...process, env: [...variables.values()] };
}

/** `/` for a user that the container does not know. */
function homeOf(uid: number, rootfs: string): string {
  const entries = parsePasswd(readInRoot(rootfs, "/etc/passwd"));
  return entries.find((entry) => entry.uid === uid)?.home || "/";
}

/** The image may have made any file a link: it leads nowhere but into the root. */
function readInRoot(rootfs: string, path: string): string {
  try {
    const root = openat(AT_FDCWD, rootfs, O.PATH | O.DIRECTORY);
    try {
      const file = openInRoot(root, path, O.RDONLY);
      try {
        return readFileSync(file, "utf8");
      } finally {
        closeSync(file);
      }
    } finally {
      closeSync(root);
    }
  } catch {
    return "";
  }
}
