import { readFileInRoot } from "../../linux/fs-at/read-file-in-root.ts";
import { parsePasswd } from "../../linux/users.ts";
import type { MountConfig, ProcessConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { isBindMount } from "../../spec/validate/mounts.ts";

/** Where a container's files are, as the host sees them. */
export interface ContainerFiles {
  readonly rootfs: string;
  readonly mounts?: RuntimeConfig["mounts"];
}

/** Bytes of the passwd file that are looked at: some hundred thousand users. */
const MAX_PASSWD = 16 << 20;

/**
 * The process with the environment that runtimes give it: of a variable that is there twice the last one, in its place; and HOME,
 * from the container's passwd where nothing else is said.
 */
export function withEnvironment(process: ProcessConfig, files: ContainerFiles): ProcessConfig {
  const variables = new Map<string, string>();
  for (const text of process.env ?? []) {
    const name = text.split("=", 1)[0] ?? "";
    variables.delete(name);
    variables.set(name, text);
  }
  if ((variables.get("HOME") ?? "HOME=") === "HOME=") {
    variables.delete("HOME");
    variables.set("HOME", `HOME=${homeOf(process.user.uid, files)}`);
  }
  return { ...process, env: [...variables.values()] };
}

/** `/` for a user that the container does not know. */
function homeOf(uid: number, files: ContainerFiles): string {
  const text = new TextDecoder().decode(readPasswd(files));
  return parsePasswd(text).find((entry) => entry.uid === uid)?.home || "/";
}

/**
 * Read from the host's side, where nothing that the container has mounted meanwhile can hold us up. What the configuration binds over
 * it is what the process sees.
 */
function readPasswd({ rootfs, mounts = [] }: ContainerFiles): Uint8Array | undefined {
  const bound = mounts.findLast(({ destination }) => /^\/+etc(\/+passwd)?\/*$/.test(destination));
  if (bound === undefined) return readFileInRoot(rootfs, "/etc/passwd", MAX_PASSWD);
  return isBindMount(bound) ? readBound(bound) : undefined;
}

/** The host's own file: its owner has put it there. */
function readBound({ source = "", destination }: MountConfig): Uint8Array | undefined {
  if (!source.startsWith("/")) return undefined;
  return /passwd\/*$/.test(destination)
    ? readFileInRoot("/", source, MAX_PASSWD)
    : readFileInRoot(source, "passwd", MAX_PASSWD);
}
