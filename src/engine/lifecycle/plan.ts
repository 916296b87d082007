import type { Recipe } from "../../recipe/recipe.ts";
import { checkSpec, requestedMounts, resolveProcess } from "../bundle/bundle.ts";
import { newId } from "../records/names.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { ContainerSpec, MountRequest, ResolvedProcess } from "../types.ts";
import { compileContainer } from "./compile.ts";
import { joinedOf } from "./joined.ts";
import { lowerOf } from "./layers.ts";
import { networkOf } from "./network.ts";
import { networkFilePaths } from "./network-files.ts";
import { change, type Parts } from "./parts.ts";

/** The recipe that creating and starting a container would run. Nothing is made; the network is as it would be leased now. */
export async function planContainer(parts: Parts, asked: ContainerSpec): Promise<Recipe> {
  const { spec } = await checkSpec(asked);
  const image = parts.images.get(spec.image, spec.platform === undefined ? {} : { platform: spec.platform });
  const record: ContainerRecord = {
    id: newId(),
    name: spec.name ?? "",
    imageId: image.id,
    created: new Date().toISOString(),
    made: {
      spec,
      resolved: {
        ...resolveProcess(spec, image.config.config),
        volumes: plannedVolumes(requestedMounts(spec, image.config.config), parts.paths.volumes),
      },
      layers: image.layers,
    },
    started: undefined,
  };
  const { containers, networkOwner } = joinedOf(parts, spec);
  const plan = await networkOf(parts, record);
  const files = networkFilePaths(parts, networkOwner ?? record.id);
  return compileContainer(parts, {
    record,
    lower: await lowerOf(parts, image.id, image.layers),
    files,
    joined: containers,
    network: change(parts, () => plan.preview()).steps,
    options: {},
    dry: true,
  });
}

/** Anonymous volumes have no name yet. */
function plannedVolumes(mounts: readonly MountRequest[], directory: string): ResolvedProcess["volumes"] {
  return mounts
    .filter(({ type }) => type !== "tmpfs")
    .map(({ type, source, target, readonly }) => ({
      ...(type === "volume" ? { name: source ?? "ANONYMOUS" } : {}),
      source: type === "volume" ? `${directory}/${source ?? "ANONYMOUS"}/_data` : (source ?? ""),
      target,
      type,
      readonly: readonly === true,
    }));
}
