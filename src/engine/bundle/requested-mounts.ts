import { statSync } from "node:fs";
import { posix } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { kernelAtLeast } from "../../linux/kernel-version.ts";
import type { ImageExecConfig } from "../../spec/image.ts";
import type { MountConfig } from "../../spec/runtime.ts";
import type { ContainerSpec, MountRequest, ResolvedProcess } from "../types.ts";

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

/** The requested mounts as the runtime takes them. Binds and volumes are those of `resolved`, file systems in memory of `spec`. */
export function requestedConfigs(spec: ContainerSpec, resolved: ResolvedProcess): readonly MountConfig[] {
  const requests = spec.mounts ?? [];
  if (requests.length + resolved.volumes.length === 0) return [];
  const tmpfs = requests.filter(({ type }) => type === "tmpfs").map(tmpfsConfig);
  const binds = resolved.volumes.map((volume) =>
    bindConfig(
      volume,
      requests.find(({ target }) => target === volume.target),
    ),
  );
  return [...binds, ...tmpfs];
}

function bindConfig(volume: ResolvedVolume, request: MountRequest | undefined): MountConfig {
  const { source, target, type, readonly } = volume;
  if (type === "bind") requireSource(source);
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

function requireSource(source: string): void {
  try {
    statSync(source);
  } catch (failure) {
    const error = toGalleyError(failure);
    if (error.code !== "not_found") throw error;
    throw missingSource(source);
  }
}

/** docker's words for a bind of what is not there. */
export function missingSource(source: string): GalleyError {
  return new GalleyError(
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
