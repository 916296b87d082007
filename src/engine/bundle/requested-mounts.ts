import { mkdirSync, statSync } from "node:fs";
import { posix } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { kernelAtLeast } from "../../linux/kernel-version.ts";
import type { ImageExecConfig } from "../../spec/image.ts";
import type { MountConfig } from "../../spec/runtime.ts";
import type { ContainerSpec, MountRequest, ResolvedProcess } from "../types.ts";
import { checkPropagation } from "./propagation.ts";

/**
 * Every mount that specification and image ask for: the image's volumes are anonymous ones, unless something else is mounted
 * there. Throws `invalid_argument` for two mounts on one place.
 */
export function requestedMounts(spec: ContainerSpec, image: ImageExecConfig = {}): readonly MountRequest[] {
  const mounts = [...(spec.mounts ?? [])];
  const taken = new Set<string>();
  for (const { target } of mounts) {
    if (taken.has(target)) throw new GalleyError("invalid_argument", `Duplicate mount point: ${target}`);
    taken.add(target);
  }
  for (const path of Object.keys(image.Volumes ?? {})) {
    const target = posix.join("/", path, ".");
    if (!taken.has(target) && target !== "/") mounts.push({ type: "volume", target });
    taken.add(target);
  }
  return mounts;
}

type ResolvedVolume = ResolvedProcess["volumes"][number];

/**
 * The requested mounts as the runtime takes them. Binds and volumes are those of `resolved`, file systems in memory of `spec`. A
 * directory of the host that `-v` once made is made again where it is gone, unless `dry`.
 */
export function requestedConfigs(spec: ContainerSpec, resolved: ResolvedProcess, dry: boolean): readonly MountConfig[] {
  const requests = spec.mounts ?? [];
  if (requests.length + resolved.volumes.length === 0) return [];
  const tmpfs = requests.filter(({ type }) => type === "tmpfs").map(tmpfsConfig);
  const binds = resolved.volumes.map((volume) => {
    const request = requests.find(({ target }) => target === volume.target);
    if (volume.type === "bind" && !dry) {
      requireSource(volume.source, request?.createSource === true);
      checkPropagation(volume.source, request?.propagation);
    }
    return bindConfig(volume, request);
  });
  return [...binds, ...tmpfs];
}

function bindConfig(volume: ResolvedVolume, request: MountRequest | undefined): MountConfig {
  const { source, target, type, readonly } = volume;
  const propagation = request?.propagation ?? (type === "bind" ? "rprivate" : undefined);
  const options = [
    request?.nonRecursive ? "bind" : "rbind",
    ...(readonly ? [readonlyWord(request)] : []),
    ...(propagation === undefined ? [] : [propagation]),
  ];
  return { destination: target, type: "bind", source, options };
}

/** Mounts below a read-only bind are read-only too, where the kernel can do that and the user does not say otherwise. */
function readonlyWord(request: MountRequest | undefined): "ro" | "rro" {
  if (request?.readonlyRecursive === "writable" || request?.nonRecursive) return "ro";
  if (kernelAtLeast(5, 12)) return "rro";
  if (request?.readonlyRecursive !== "readonly") return "ro";
  throw new GalleyError("failed_precondition", "bind-recursive=readonly needs Linux 5.12 or newer");
}

/** Throws `invalid_argument`, in docker's words, for a bind of what is not there; with `create` it is made a directory. */
export function requireSource(source: string, create: boolean): void {
  try {
    if (statSync(source, { throwIfNoEntry: false }) !== undefined) return;
    if (create) mkdirSync(source, { recursive: true, mode: 0o755 });
  } catch (failure) {
    throw toGalleyError(failure, { op: "bind", subject: source });
  }
  if (create) return;
  throw new GalleyError(
    "invalid_argument",
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    { hint: "make it, or use -v, which makes a directory" },
  );
}

/** Of contradicting words the last one counts, so docker's own come first. */
function tmpfsConfig({ target, options = [], size, mode, readonly }: MountRequest): MountConfig {
  return {
    destination: target,
    type: "tmpfs",
    source: "tmpfs",
    options: [
      "noexec",
      "nosuid",
      "nodev",
      "rprivate",
      ...options,
      ...(size === undefined ? [] : [`size=${size}`]),
      ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
      ...(readonly ? ["ro"] : []),
    ],
  };
}

/** The root's propagation that binds need: their mounts only spread as far as the root lets them. */
export function rootPropagationOf(spec: ContainerSpec): "rshared" | "rslave" | undefined {
  const words = (spec.mounts ?? []).map(({ propagation }) => propagation);
  if (words.some((word) => word === "shared" || word === "rshared")) return "rshared";
  return words.some((word) => word === "slave" || word === "rslave") ? "rslave" : undefined;
}
