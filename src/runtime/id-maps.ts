import type { IdMapping, LinuxConfig } from "../spec/runtime.ts";

/** What the process of a container is to the host. */
export interface HostIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The container's user and group as the host numbers them; undefined where that cannot be known: for a joined user namespace
 * without maps of its own, or an ID that is not mapped.
 */
export function hostIds(linux: LinuxConfig, user: { readonly uid: number; readonly gid: number }): HostIds | undefined {
  if (!(linux.namespaces ?? []).some(({ type }) => type === "user")) return user;
  const uid = mapped(linux.uidMappings ?? [], user.uid);
  const gid = mapped(linux.gidMappings ?? [], user.gid);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function mapped(mappings: readonly IdMapping[], id: number): number | undefined {
  for (const { containerID, hostID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  return undefined;
}

/** The lines of user_namespaces(7): inside, outside, length. */
export function mapLines(mappings: readonly IdMapping[]): string {
  return mappings.map((one) => `${one.containerID} ${one.hostID} ${one.size}\n`).join("");
}

/** Whether a map has more than its maker may write himself, which is his own ID alone (user_namespaces(7)). */
export function mapsOthers(mappings: readonly IdMapping[] = [], own?: number): boolean {
  const [first, ...rest] = mappings;
  if (first === undefined || own === undefined) return false;
  return rest.length > 0 || first.hostID !== own || first.size !== 1;
}

/** Whether the process is in another user namespace than the host's first one. */
export function inUserNamespace({ namespaces = [] }: LinuxConfig): boolean {
  return namespaces.some(({ type }) => type === "user");
}
