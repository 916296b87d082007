import { treeMembers } from "../../image/layers/tar/tree-members.ts";
import { writeTar } from "../../image/layers/tar/write-tar.ts";
import { LayerView } from "../../image/layers/view/view.ts";
import { Root, type WalkEntry, walk } from "../../linux/fs-at/fs-at.ts";
import type { HistoryEntry, ImageConfig, ImageExecConfig } from "../../spec/image.ts";
import type { Parts } from "../lifecycle/parts.ts";
import { placesIn } from "../lifecycle/parts.ts";
import { pauseContainer, unpauseContainer } from "../lifecycle/pause.ts";
import { findRecord } from "../records/find.ts";
import type { ContainerRecord } from "../records/record.ts";
import { lifeOf } from "../records/view.ts";
import type { CommitOptions } from "../types.ts";
import { containerConfig } from "../views/container-config.ts";
import { applyChanges } from "./image-changes.ts";
import { isMountPoint } from "./mount-points.ts";
import { layersOf } from "./view.ts";
import { whileThere } from "./while-there.ts";

/**
 * Makes an image of a container: its image's layers, one more with what it has changed, and what it was run with as the
 * configuration. Its processes are held meanwhile, unless that is not wanted. Resolves with the image's ID.
 */
export async function commitContainer(parts: Parts, container: string, options: CommitOptions = {}): Promise<string> {
  const record = findRecord(parts.table, container);
  const image = parts.images.ofContainer(record.imageId).config.config ?? {};
  const config = applyChanges(imageConfigOf(record, image), options.changes ?? []);
  const names = options.name === undefined ? [] : [options.name];
  return whileHeld(parts, record, options.pause !== false, async () => {
    const made = await parts.images.addLayer({
      base: record.imageId,
      tar: whileThere(parts, record, layerOf(parts, record)),
      config: (base, diffIds) => imageOf(base, { record, options, config, diffIds }),
      names,
    });
    return made.id;
  });
}

async function whileHeld<T>(parts: Parts, { id }: ContainerRecord, hold: boolean, work: () => Promise<T>): Promise<T> {
  if (!hold || lifeOf(placesIn(parts, id)).state !== "running") return work();
  await pauseContainer(parts, id);
  try {
    return await work();
  } finally {
    await unpauseContainer(parts, id);
  }
}

/** What the container has written, as a layer; of what only its mounts stand on, nothing. */
async function* layerOf(parts: Parts, record: ContainerRecord): AsyncGenerator<Uint8Array> {
  const layers = await layersOf(parts, record);
  using lower = new LayerView(layers.lower);
  using upper = Root.open(layers.upper);
  yield* writeTar(treeMembers(ownEntries(walk(upper), lower), { whiteouts: true }));
}

function* ownEntries(entries: Iterable<WalkEntry>, lower: LayerView): Generator<WalkEntry> {
  for (const entry of entries) {
    const stands = isMountPoint(entry) && lower.tryStat(`/${entry.path}`, { follow: false }) === undefined;
    if (!stands || entry.path === "etc") yield entry;
  }
}

/** docker's: what an image may say, of what the container was run with. */
function imageConfigOf(record: ContainerRecord, image: ImageExecConfig): ImageExecConfig {
  const { made } = record;
  const {
    Cmd,
    Entrypoint,
    Env,
    ExposedPorts,
    Healthcheck,
    Labels,
    OnBuild,
    Shell,
    StopSignal,
    User,
    Volumes,
    WorkingDir,
  } = containerConfig(made.spec, made.resolved, image);
  return withoutAbsent({
    Cmd,
    Entrypoint,
    Env,
    ExposedPorts,
    Healthcheck,
    Labels,
    OnBuild,
    Shell,
    StopSignal,
    User,
    Volumes,
    WorkingDir,
  });
}

function withoutAbsent(config: Record<string, unknown>): ImageExecConfig {
  const isThere = (value: unknown) => value !== undefined && value !== null && value !== "";
  return Object.fromEntries(Object.entries(config).filter(([, value]) => isThere(value)));
}

interface Made {
  readonly record: ContainerRecord;
  readonly options: CommitOptions;
  readonly config: ImageExecConfig;
  readonly diffIds: readonly string[];
}

function imageOf(base: ImageConfig, { record, options, config, diffIds }: Made): ImageConfig {
  const created = new Date().toISOString();
  const { path, args } = record.made.resolved;
  const step: HistoryEntry = {
    created,
    ...(options.author === undefined ? {} : { author: options.author }),
    created_by: [path, ...args].join(" "),
    ...(options.message === undefined ? {} : { comment: options.message }),
  };
  return {
    ...base,
    created,
    ...(options.author === undefined ? {} : { author: options.author }),
    config,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [...(base.history ?? []), step],
  };
}
