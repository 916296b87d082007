import { GalleyError } from "../../errors.ts";
import type { ContainerSpec } from "../types.ts";

/** Whose namespace of a kind a container has: its own, the host's, or that of the container named. */
export type Mode =
  | { readonly kind: "own" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

/** Whose namespaces a container has, of the kinds that can be somebody else's. */
export interface NamespaceModes {
  readonly network: Mode;
  readonly pid: Mode;
  readonly ipc: Mode;
  readonly uts: Mode;
  /** `none`: an own IPC namespace without /dev/shm; `shareable`: others may join it. */
  readonly ipcVariant: "private" | "shareable" | "none";
  /** Network without anything but loopback. */
  readonly isolated: boolean;
}

const own: Mode = { kind: "own" };
const host: Mode = { kind: "host" };

/** Reads the modes of a specification. Throws `invalid_argument` for words that are none. */
export function namespaceModes(spec: ContainerSpec): NamespaceModes {
  const { network = "bridge", pidMode = "", ipcMode = "", utsMode = "" } = spec;
  return {
    network: network === "bridge" || network === "default" || network === "none" ? own : shared(network, "network"),
    isolated: network === "none",
    pid: pidMode === "" || pidMode === "private" ? own : shared(pidMode, "PID"),
    ipc: ["", "private", "shareable", "none"].includes(ipcMode) ? own : shared(ipcMode, "IPC"),
    ipcVariant: ipcMode === "none" || ipcMode === "shareable" ? ipcMode : "private",
    uts: utsMode === "" || utsMode === "private" ? own : utsMode === "host" ? host : unknown(utsMode, "UTS"),
  };
}

function shared(text: string, kind: string): Mode {
  if (text === "host") return host;
  if (text.startsWith("container:") && text.length > "container:".length) {
    return { kind: "container", container: text.slice("container:".length) };
  }
  return unknown(text, kind);
}

function unknown(text: string, kind: string): never {
  if (kind === "network") {
    throw new GalleyError("not_found", `network ${text} not found`, {
      hint: "known are bridge, none, host and container:ID",
    });
  }
  throw new GalleyError("invalid_argument", `invalid ${kind} mode: ${text}`, {
    hint: kind === "UTS" ? "it can be host" : "it can be private, host or container:ID",
  });
}

/** A running container whose namespace is joined. */
export interface JoinedContainer {
  /** Its first process, in the caller's pid namespace. */
  readonly pid: number;
}

/** The containers that {@link joinedNames} names, found. */
export interface JoinedContainers {
  readonly network?: JoinedContainer & { readonly hostname: string };
  readonly pid?: JoinedContainer;
  /** `shm`: the host directory that is its /dev/shm, where it has one to share. */
  readonly ipc?: JoinedContainer & { readonly shm?: string };
}

/** The containers whose namespaces a specification asks for, as the user names them. */
export function joinedNames(spec: ContainerSpec): { readonly [K in keyof JoinedContainers]: string } {
  const { network, pid, ipc } = namespaceModes(spec);
  return {
    ...(network.kind === "container" ? { network: network.container } : {}),
    ...(pid.kind === "container" ? { pid: pid.container } : {}),
    ...(ipc.kind === "container" ? { ipc: ipc.container } : {}),
  };
}
