/** A container's mounts in docker's three forms: as `-v` wrote them, as `--mount` did, and as they are. */
import type { Container, ContainerSpec, MountRequest } from "../types.ts";

type Json = Readonly<Record<string, unknown>>;

/** What `-v` can say is taken to have been said by it: a bind whose directory is made, a volume with a name. */
function isVolumeFlag({ type, source, createSource, subpath, labels }: MountRequest): boolean {
  if (type === "bind") return createSource === true;
  return type === "volume" && source !== undefined && subpath === undefined && labels === undefined;
}

/** What `--tmpfs` can say, and `--mount` does not. */
function isTmpfsFlag({ type, size, mode }: MountRequest): boolean {
  return type === "tmpfs" && size === undefined && mode === undefined;
}

/** HostConfig.Binds: `/data:/srv:ro`. */
export function bindTexts({ mounts = [] }: ContainerSpec): readonly string[] {
  return mounts.filter(isVolumeFlag).map((mount) => {
    const mode = modeOf(mount);
    return `${mount.source}:${mount.target}${mode === "" ? "" : `:${mode}`}`;
  });
}

function modeOf({ readonly, propagation, noCopy }: MountRequest): string {
  return [readonly ? "ro" : "", propagation ?? "", noCopy ? "nocopy" : ""].filter(Boolean).join(",");
}

/** HostConfig.Tmpfs: options by place; undefined where there are none. */
export function tmpfsTexts({ mounts = [] }: ContainerSpec): Json | undefined {
  const found = mounts.filter(isTmpfsFlag).map(({ target, options = [] }) => [target, options.join(",")] as const);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** HostConfig.Mounts. Anonymous volumes of `-v` are in Config.Volumes. */
export function mountObjects({ mounts = [] }: ContainerSpec): readonly Json[] {
  const isAnonymous = ({ type, source, subpath, labels }: MountRequest): boolean =>
    type === "volume" && source === undefined && subpath === undefined && labels === undefined;
  return mounts.filter((mount) => !isVolumeFlag(mount) && !isTmpfsFlag(mount) && !isAnonymous(mount)).map(mountObject);
}

function mountObject(mount: MountRequest): Json {
  const { type, source, target, readonly } = mount;
  return {
    Type: type,
    ...(source === undefined ? {} : { Source: source }),
    Target: target,
    ...(readonly ? { ReadOnly: true } : {}),
    ...optional("BindOptions", bindOptions(mount)),
    ...optional("VolumeOptions", type === "volume" ? volumeOptions(mount) : {}),
    ...optional("TmpfsOptions", tmpfsOptions(mount)),
  };
}

function optional(name: string, value: Json): Json {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

function bindOptions({ propagation, nonRecursive, readonlyRecursive }: MountRequest): Json {
  return {
    ...(propagation === undefined ? {} : { Propagation: propagation }),
    ...(nonRecursive ? { NonRecursive: true } : {}),
    ...(readonlyRecursive === "writable" ? { ReadOnlyNonRecursive: true } : {}),
    ...(readonlyRecursive === "readonly" ? { ReadOnlyForceRecursive: true } : {}),
  };
}

function volumeOptions({ noCopy, labels, subpath }: MountRequest): Json {
  return {
    ...(noCopy ? { NoCopy: true } : {}),
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(subpath === undefined ? {} : { Subpath: subpath }),
  };
}

function tmpfsOptions({ size, mode }: MountRequest): Json {
  return { ...(size === undefined ? {} : { SizeBytes: size }), ...(mode === undefined ? {} : { Mode: mode }) };
}

/** The document's Mounts: what is mounted, by the user's or the image's will. */
export function mountPoints({ spec: { mounts = [] }, resolved }: Container): readonly Json[] {
  const volumes = resolved.volumes.map(({ name, source, target, type, readonly }) => {
    const request = mounts.find((mount) => mount.target === target);
    return {
      Type: type,
      ...(name === undefined ? {} : { Name: name }),
      Source: source,
      Destination: target,
      ...(type === "volume" ? { Driver: "local" } : {}),
      Mode: request === undefined ? "" : modeOf(request),
      RW: !readonly,
      Propagation: request?.propagation ?? (type === "bind" ? "rprivate" : ""),
    };
  });
  const tmpfs = mounts
    .filter((mount) => mount.type === "tmpfs" && !isTmpfsFlag(mount))
    .map(({ target, readonly }) => ({
      Type: "tmpfs",
      Source: "",
      Destination: target,
      Mode: "",
      RW: readonly !== true,
      Propagation: "",
    }));
  return [...volumes, ...tmpfs];
}
