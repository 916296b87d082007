/**
 * The sources of binds. Most are opened inside, in the container's mount namespace. The outside opens those of a container with a user
 * namespace, whose root may not reach them, and maps the IDs of a mount, which takes rights over its file system; it hands the mount over.
 */
import { type AttributeChange, encodeMountAttr, type MountOptions } from "../linux/mount-options.ts";
import { mountFlag } from "../linux/mount-words.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { IdMapping, LinuxConfig, MountConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import { setOnMount } from "./file-system.ts";
import { inUserNamespace, mapLines } from "./id-maps.ts";
import type { RootPropagation } from "./root.ts";
import { flag, slot } from "./slots.ts";

/** A bind as its source sees it. */
export interface Bind {
  readonly config: MountConfig;
  readonly options: MountOptions;
  readonly cause: string;
  /** The inside's slot that takes the mount. */
  readonly slot: string;
}

/** The container that binds are for. */
export interface BindPlace {
  /** Where the root's directory is mounted: sources in it show what was mounted there before. */
  readonly rootPath: string | undefined;
  readonly linux: LinuxConfig;
  /** The outside may mount nothing: what its user can reach the inside reaches too. */
  readonly unprivileged?: boolean;
  readonly propagation: RootPropagation;
}

/** Both actors' steps are in one order: each mount that is handed over is taken in its turn. */
export interface SourceSteps {
  readonly inside: readonly Step[];
  readonly outside: readonly Step[];
}

/** The steps at whose end a bind's mount is in its slot, not yet attached, with its attributes and IDs. */
export function compileSource(bind: Bind, place: BindPlace): SourceSteps {
  const { cause } = bind;
  const source = bind.config.source ?? "";
  const map = mapSteps(bind, place.linux);
  const isForeign = map.length > 0 || (inUserNamespace(place.linux) && place.unprivileged !== true);
  const isWithin = place.rootPath !== undefined && `${source}/`.startsWith(`${place.rootPath}/`);
  if (!isForeign || (isWithin && map.length === 0)) return { inside: openSource(bind, bind.slot), outside: [] };
  const take = (out: string): Step => step("recv_fd", [], { out, cause });
  const give = (name: string): Step => step("send_fd", [name], { cause });
  if (isWithin) {
    return {
      inside: [...openSource(bind, bind.slot), give(bind.slot), take(bind.slot)],
      outside: [take(slot.mount), ...map, give(slot.mount)],
    };
  }
  return {
    outside: [...openSource(bind, slot.mount, cutOff(place, cause)), ...map, give(slot.mount)],
    inside: [take(bind.slot)],
  };
}

function openSource({ config, options, cause }: Bind, out: string, between: readonly Step[] = []): Step[] {
  const { source = "" } = config;
  const recursive = options.bind === "single" ? 0 : flag.AT_RECURSIVE;
  const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | recursive;
  const steps = [step("open_tree", [CWD, source, clone], { out, cause: `${cause}: source ${source}` }), ...between];
  const { attributes, recursiveAttributes } = options;
  if (isChange(attributes)) steps.push(setOnMount(out, attributes, 0, cause));
  if (recursiveAttributes !== undefined) steps.push(setOnMount(out, recursiveAttributes, flag.AT_RECURSIVE, cause));
  return steps;
}

function isChange({ set, clear }: AttributeChange): boolean {
  return set !== 0 || clear !== 0;
}

/** A copy that is made in the host's mount namespace is to be what it were if it was made in the container's. */
function cutOff({ propagation, linux }: BindPlace, cause: string): Step[] {
  const { type, shared } = propagation;
  if (shared && !inUserNamespace(linux)) return [];
  const kind = shared || type === mountFlag.SLAVE ? mountFlag.SLAVE : mountFlag.PRIVATE;
  const attr = encodeMountAttr({ set: 0, clear: 0 }, kind);
  return [step("mount_setattr", [slot.mount, "", flag.AT_EMPTY_PATH | flag.AT_RECURSIVE, attr], { cause })];
}

const NAMESPACE = "idmap";

/** With mappings of its own, or those of the container's user namespace, whether that is made for it or joined. */
function mapSteps({ config, options, cause }: Bind, linux: LinuxConfig): Step[] {
  const { uidMappings = [], gidMappings = [] } = config;
  const hasOwn = uidMappings.length > 0 || gidMappings.length > 0;
  if (!hasOwn && options.idmap === "none") return [];
  const why = `${cause}: idmap`;
  const flags = options.idmap === "recursive" ? flag.AT_RECURSIVE : 0;
  const joined = linux.namespaces?.find(({ type }) => type === "user")?.path ?? "";
  if (!hasOwn && joined !== "") return [step("map_mount", [slot.mount, slot.userNamespace, flags], { cause: why })];
  const [uids, gids] = hasOwn ? [uidMappings, gidMappings] : [linux.uidMappings, linux.gidMappings];
  return [
    step("user_namespace", [lines(uids), lines(gids)], { out: NAMESPACE, cause: why }),
    step("map_mount", [slot.mount, NAMESPACE, flags], { cause: why }),
  ];
}

function lines(mappings: readonly IdMapping[] = []): Uint8Array {
  return utf8(mapLines(mappings));
}

/** At the end of the outside's part: a mount that is kept open would be busy for as long as the container lives. */
export function forgetSources(steps: readonly Step[]): Step[] {
  const close = (name: string): Step => step("close", [name], { cause: "mounts" });
  if (steps.length === 0) return [];
  return [close(slot.mount), ...(steps.some(({ out }) => out === NAMESPACE) ? [close(NAMESPACE)] : [])];
}
