/** Rules about the root and the mounts. */
import type { MountConfig, RuntimeConfig } from "../runtime.ts";
import { mappingProblems } from "./id-mappings.ts";
import { type Check, error, type Problem, type ValidationContext, warning, when } from "./problem.ts";

const propagations = ["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"];

/** There is a root file system, and what happens to mounts in it is a word that mount(8) has. */
export const root: Check = ({ root: value, linux }) => {
  const propagation = linux?.rootfsPropagation ?? "";
  return [
    ...when(value === undefined, error("root", "is required")),
    ...when(value?.path === "", error("root.path", "must not be empty")),
    ...when(
      propagation !== "" && !propagations.includes(propagation),
      error(
        "linux.rootfsPropagation",
        `unknown propagation ${JSON.stringify(propagation)}`,
        `use one of ${propagations.join(", ")}`,
      ),
    ),
  ];
};

/** Whether a mount shows what is there already, rather than a new file system. */
export function isBindMount(mount: MountConfig): boolean {
  return mount.type === "bind" || (mount.options ?? []).some((option) => option === "bind" || option === "rbind");
}

type MountCheck = (
  mount: MountConfig,
  field: string,
  config: RuntimeConfig,
  context: ValidationContext,
) => readonly Problem[];

function everyMount(check: MountCheck): Check {
  return (config, context) =>
    (config.mounts ?? []).flatMap((mount, index) => check(mount, `mounts[${index}]`, config, context));
}

/** A destination is an absolute path; relative ones, which old configurations have, are taken from the root. */
export const mountDestinations = everyMount(({ destination }, field) => [
  ...when(destination === "", error(`${field}.destination`, "must not be empty")),
  ...when(
    destination !== "" && !destination.startsWith("/"),
    warning(`${field}.destination`, "is relative, which is deprecated; it is taken from the container's root"),
  ),
]);

/** A bind needs a source, anything else a file system type. */
export const mountSources = everyMount((mount, field) =>
  isBindMount(mount)
    ? when((mount.source ?? "") === "", error(`${field}.source`, "a bind mount needs a source"))
    : when((mount.type ?? "") === "", error(`${field}.type`, "is required, unless the options have bind or rbind")),
);

/** A bind shows a file system that is mounted already: its own parameters cannot be changed by that, only silently ignored. */
export const bindOptions = everyMount((mount, field, _, { vocabulary }) => {
  if (!isBindMount(mount)) return [];
  return (mount.options ?? []).flatMap((option, index) =>
    when(
      option.split(",").some((word) => word !== "" && !vocabulary.isMountWord(word)),
      error(`${field}.options[${index}]`, `a bind mount cannot have the file system option ${JSON.stringify(option)}`),
    ),
  );
});

/** IDs can be mapped on binds, by both maps or by those of the container's user namespace. */
export const idMappedMounts = everyMount((mount, field, { linux }, { rootless }) => {
  const { uidMappings = [], gidMappings = [], options = [] } = mount;
  const hasMappings = uidMappings.length > 0 || gidMappings.length > 0;
  if (!hasMappings && !options.includes("idmap") && !options.includes("ridmap")) return [];
  const hasUser = linux?.namespaces?.some(({ type }) => type === "user") === true;
  return [
    ...when(!isBindMount(mount), error(field, "IDs can only be mapped on bind mounts")),
    ...when(rootless === true, error(field, "a rootless runtime cannot map the IDs of a mount")),
    ...when(hasMappings && uidMappings.length === 0, error(`${field}.uidMappings`, "is required beside gidMappings")),
    ...when(hasMappings && gidMappings.length === 0, error(`${field}.gidMappings`, "is required beside uidMappings")),
    ...when(
      !hasMappings && !hasUser,
      error(`${field}.options`, "idmap without mappings takes those of the user namespace, and there is none"),
    ),
    ...mappingProblems(uidMappings, `${field}.uidMappings`),
    ...mappingProblems(gidMappings, `${field}.gidMappings`),
  ];
});

/** Owners that a rootless container's file systems name must exist in its user namespace. */
export const rootlessMountOwners = everyMount((mount, field, { linux }, { rootless }) => {
  if (rootless !== true) return [];
  return (mount.options ?? []).flatMap((option, index) => {
    const match = /^(uid|gid)=([0-9]+)$/.exec(option);
    if (match === null) return [];
    const mappings = (match[1] === "uid" ? linux?.uidMappings : linux?.gidMappings) ?? [];
    const id = Number(match[2]);
    const isMapped = mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
    return when(
      !isMapped,
      error(`${field}.options[${index}]`, `${option} is not mapped in the container's user namespace`),
    );
  });
});
