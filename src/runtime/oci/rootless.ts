import { readFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import type { HostIds } from "../id-maps.ts";

/** What Go's ParseBool takes, which runc reads the flag with. */
const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false])),
};

/**
 * Whether cgroups are taken to be somebody else's, by runc's `--rootless`: a container is then given a cgroup only where its
 * configuration names one. `auto`: for every user but root, and for a root of a user namespace.
 */
export function isRootless(flag: string): boolean {
  if (flag === "" || flag.toLowerCase() === "auto") return !isHostRoot();
  const value = Object.hasOwn(truths, flag) ? truths[flag] : undefined;
  if (value !== undefined) return value;
  throw new GalleyError("invalid_argument", `invalid value ${JSON.stringify(flag)}`, {
    subject: "--rootless",
    hint: "give true, false or auto",
  });
}

/** Root, and not of a user namespace alone. */
export function isHostRoot(): boolean {
  return !isUnprivileged() && !inUserNamespace();
}

/** Whether this program runs as a user who may map no IDs but his own himself. */
export function isUnprivileged(): boolean {
  return process.geteuid?.() !== 0;
}

/** What the compiler is to know of a user without privileges; nothing of root. */
export function makerOf(): { readonly unprivileged: boolean; readonly maker?: HostIds } {
  if (!isUnprivileged()) return { unprivileged: false };
  return { unprivileged: true, maker: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 } };
}

/** Whether this program runs as the root of a user namespace, as podman runs its runtime for a user. */
export function isNestedRoot(): boolean {
  return !isUnprivileged() && inUserNamespace();
}

/** The first user namespace alone maps every ID to itself (user_namespaces(7)). */
function inUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  } catch {
    return false; // a kernel without user namespaces
  }
}
