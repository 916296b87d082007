import { CWD } from "../../recipe/ops.ts";
import { type Recipe, type ShimSettings, type Step, step } from "../../recipe/recipe.ts";
import { ATTACH_FD } from "../../recipe/run.ts";
import { compileStart } from "../../runtime/compile-start.ts";
import { hostFacts } from "../../runtime/host.ts";
import type { ExtraSteps, ShimPart, StartInput } from "../../runtime/types.ts";
import { type JoinedContainers, makeConfig, type NetworkFiles } from "../bundle/bundle.ts";
import { logSettings } from "../logs/log-settings.ts";
import { type ContainerPlaces, mountPointOf } from "../records/places.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { ContainerSpec, StartOptions } from "../types.ts";
import { filterCacheOf, type Parts, placesIn } from "./parts.ts";

/** What a start is compiled from, beside the record. */
export interface CompileInput {
  readonly record: ContainerRecord;
  /** Directories of the image's layers, topmost first. */
  readonly lower: readonly string[];
  readonly files: NetworkFiles;
  readonly joined: JoinedContainers;
  readonly network: ExtraSteps | undefined;
  readonly options: StartOptions;
  /** Nothing of it is made yet, and it is only to be looked at. */
  readonly dry?: boolean;
}

/** The recipe of a container's start. Writes nothing. */
export async function compileContainer(parts: Parts, input: CompileInput): Promise<Recipe> {
  const { record, lower, options } = input;
  const { spec, resolved } = record.made;
  const places = placesIn(parts, record.id);
  const facts = hostFacts();
  const config = await makeConfig({
    id: record.id,
    spec,
    resolved,
    layers: [places.upper, ...lower],
    cgroups: facts.cgroups.mode,
    files: input.files,
    joined: input.joined,
    shm: places.shm,
    ...(options.consoleSize === undefined ? {} : { consoleSize: options.consoleSize }),
    ...(input.dry === true ? { dry: true } : {}),
  });
  return compileStart(startInput(parts, input, places, config), facts);
}

function startInput(
  parts: Parts,
  { record, lower, network, options }: CompileInput,
  places: ContainerPlaces,
  config: StartInput["config"],
): StartInput {
  const { spec } = record.made;
  return {
    config,
    self: { id: record.id, bundle: places.directory },
    root: { kind: "overlay", lower, upper: places.upper, work: places.work, volatile: spec.autoRemove === true },
    mountPoint: mountPointOf(parts.paths),
    ...(network === undefined ? {} : { extra: network }),
    ...(spec.init === true ? { init: true } : {}),
    openStdin: spec.openStdin === true,
    shim: shimSettings(spec, places, options),
    filterCache: filterCacheOf(parts),
    ...(spec.autoRemove === true ? { remove: removal(places) } : {}),
  };
}

function shimSettings(spec: ContainerSpec, places: ContainerPlaces, { attach }: StartOptions): ShimPart {
  const log = logSettings(spec);
  return {
    stdinOnce: spec.stdinOnce === true,
    socketPath: places.socket,
    statusPath: places.status,
    timingsPath: places.timings,
    ...(log === undefined ? {} : { log: { path: places.log, ...log } }),
    restart: restartOf(spec),
    ...(attach === undefined ? {} : { attachFd: ATTACH_FD }),
  };
}

/** What tells `unless-stopped` from `always` is what happens after a reboot, which is no business of the shim. */
function restartOf({ restart }: ContainerSpec): ShimSettings["restart"] {
  if (restart === undefined || restart.name === "no") return { policy: "no", maxRetries: 0 };
  return { policy: restart.name === "on-failure" ? "on-failure" : "always", maxRetries: restart.maxRetries };
}

/** The directory goes at once for everybody who looks, and then in pieces. */
function removal({ directory, gone, shm }: ContainerPlaces): readonly Step[] {
  const cause = "--rm";
  return [
    step("renameat2", [CWD, directory, CWD, gone, 0], { cause }),
    step("remove_tree", [CWD, gone], { cause }),
    step("remove_tree", [CWD, shm], { cause }),
  ];
}
