/** Rules about user namespaces and maps of IDs (user_namespaces(7)). */
import type { IdMapping } from "../runtime.ts";
import { type Check, error, type Problem, when } from "./problem.ts";

/** The kernel takes this many lines of a map (UID_GID_MAP_MAX_EXTENTS). */
const MAX_LINES = 340;

/** The problems of one map: no empty range, none beyond 2^32, no ID mapped twice on either side. */
export function mappingProblems(mappings: readonly IdMapping[], field: string): readonly Problem[] {
  return [
    ...when(mappings.length > MAX_LINES, error(field, `has ${mappings.length} entries, the kernel takes ${MAX_LINES}`)),
    ...mappings.flatMap((one, index) => [
      ...when(one.size === 0, error(`${field}[${index}].size`, "must not be 0")),
      ...when(one.containerID + one.size > 2 ** 32, error(`${field}[${index}]`, "ends beyond the last ID inside")),
      ...when(one.hostID + one.size > 2 ** 32, error(`${field}[${index}]`, "ends beyond the last ID outside")),
    ]),
    ...overlaps(mappings, field, "containerID"),
    ...overlaps(mappings, field, "hostID"),
  ];
}

function overlaps(mappings: readonly IdMapping[], field: string, key: "containerID" | "hostID"): readonly Problem[] {
  const sorted = mappings.map((one, index) => ({ start: one[key], end: one[key] + one.size, index }));
  sorted.sort((a, b) => a.start - b.start);
  return sorted.flatMap(({ start, index }, place) => {
    const before = sorted[place - 1];
    const hit = before !== undefined && start < before.end;
    return when(hit, error(`${field}[${index}].${key}`, `overlaps with ${field}[${before?.index}]`));
  });
}

/** A new user namespace needs both maps, a joined one has its own, and without one there is nothing to map. */
export const userNamespaceMappings: Check = ({ linux }) => {
  const namespace = linux?.namespaces?.find(({ type }) => type === "user");
  const { uidMappings = [], gidMappings = [] } = linux ?? {};
  const hasMappings = uidMappings.length > 0 || gidMappings.length > 0;
  if (namespace === undefined) {
    const hint = 'add {"type": "user"} to linux.namespaces, or leave the mappings out';
    return when(
      hasMappings,
      error("linux.uidMappings", "IDs are mapped, but the container has no user namespace", hint),
    );
  }
  if ((namespace.path ?? "") !== "") return [];
  return [
    ...when(uidMappings.length === 0, error("linux.uidMappings", "a new user namespace needs at least one mapping")),
    ...when(gidMappings.length === 0, error("linux.gidMappings", "a new user namespace needs at least one mapping")),
  ];
};

/** Each map is one that the kernel takes. */
export const idMappings: Check = ({ linux }) => [
  ...mappingProblems(linux?.uidMappings ?? [], "linux.uidMappings"),
  ...mappingProblems(linux?.gidMappings ?? [], "linux.gidMappings"),
];

/** Without privilege on the host everything happens in a user namespace. */
export const rootlessNeedsUser: Check = ({ linux }, { rootless }) =>
  when(
    rootless === true && linux?.namespaces?.some(({ type }) => type === "user") !== true,
    error("linux.namespaces", "a rootless container needs a user namespace", 'add {"type": "user"} and mappings'),
  );
