/** Where the engine is put together: the one place that knows which implementations there are. */
import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { ArtifactStore } from "../image/artifacts/artifact-store.ts";
import type { ConvertedLayers } from "../image/convert-layers.ts";
import type { ImagesOptions } from "../image/images.ts";
import type { ManifestLists } from "../image/lists/manifest-lists.ts";
import { listSchema } from "../image/lists/schema.ts";
import { KeptLayers, type LayerForm } from "../image/snapshot/kept-layers.ts";
import { imageSchema } from "../image/store/schema.ts";
import type { Images, ImageUser } from "../image/types.ts";
import { networkSchema } from "../network/schema.ts";
import type { Networks } from "../network/types.ts";
import { openDatabase } from "../state/database.ts";
import type { StorePaths } from "../state/paths.ts";
import { StoredContainers } from "./containers.ts";
import type { ImageFiles } from "./image-files/image-files.ts";
import type { Parts } from "./lifecycle/parts.ts";
import { ContainerTable } from "./records/container-table.ts";
import { isGone } from "./records/gone.ts";
import { Operations } from "./records/operations.ts";
import { placesOf } from "./records/places.ts";
import type { ContainerRecord } from "./records/record.ts";
import { containerSchema } from "./records/schema.ts";
import { isActive, lifeOf } from "./records/view.ts";
import { StoredVolumes } from "./stored-volumes.ts";
import type { Containers } from "./types.ts";
import { usageSchema } from "./usage/schema.ts";
import type { Usage } from "./usage/usage.ts";
import { volumesSchema } from "./volumes/schema.ts";
import type { Volumes } from "./volumes/volumes.ts";

export interface EngineOptions {
  readonly paths: StorePaths;
  /** Path of the native program. */
  readonly native: string;
  /** How new layers are kept; `auto` where it is absent. */
  readonly layerForm?: LayerForm;
}

export interface Engine {
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: StoredVolumes;
  /** Loaded when it is first asked for. */
  imageFiles(): Promise<ImageFiles>;
  /** What everything takes on the disk. */
  usage(): Promise<Usage>;
  /** Loaded when they are first asked for. */
  manifestLists(): Promise<ManifestLists>;
  /** Whether there are any; it loads nothing. */
  readonly hasManifestLists: boolean;
  artifacts(): Promise<ArtifactStore>;
  /** Gives all kept layers the form, but directories that running containers stand on. */
  convertLayers(to: "erofs" | "directories", signal?: AbortSignal): Promise<ConvertedLayers>;
}

/**
 * Opens the engine on a store, which is made where there is none. Only the database is opened; everything else is loaded by the first
 * command that needs it.
 *
 * The process's umask becomes 022: files and directories that containers see have the modes that are asked for.
 */
export function openEngine({ paths, native, layerForm = "auto" }: EngineOptions): Engine {
  process.umask(0o022);
  const database = openDatabase(paths.database, [
    imageSchema,
    networkSchema,
    volumesSchema,
    containerSchema,
    usageSchema,
    listSchema,
  ]);
  const table = new ContainerTable(database);
  const snapshotter = new KeptLayers({ layers: paths.layers, mounts: paths.layerMounts, form: layerForm });
  const operations = new Operations(database);
  const isThere = (user: ContainerRecord) => !isGone({ paths, operations }, user);
  const inUse = (imageId: string) => [
    ...table
      .usersOf(imageId)
      .filter(isThere)
      .map((user) => imageUser(paths, user)),
    ...mountsOf(paths, imageId),
  ];
  let images: Images | undefined;
  let volumes: Promise<Volumes> | undefined;
  let networks: Promise<Networks> | undefined;
  const parts: Parts = {
    paths,
    native,
    database,
    table,
    operations,
    snapshotter,
    get images() {
      images ??= loadImages({ database, paths, snapshotter, inUse });
      return images;
    },
    volumes() {
      volumes ??= loadVolumes(database, paths, table);
      return volumes;
    },
    networks() {
      networks ??= import("../network/networks.ts").then(({ openNetworks }) => openNetworks({ database, native }));
      return networks;
    },
  };
  const containers = new StoredContainers(parts);
  return {
    containers,
    get images() {
      return parts.images;
    },
    volumes: new StoredVolumes(parts),
    imageFiles: async () => new (await import("./image-files/image-files.ts")).ImageFiles(parts),
    manifestLists: async () => new (await import("../image/lists/manifest-lists.ts")).ManifestLists(database),
    get hasManifestLists() {
      return database.query("SELECT 1 FROM manifest_lists LIMIT 1").get() !== null;
    },
    artifacts: async () => new (await import("../image/artifacts/artifact-store.ts")).ArtifactStore(paths.artifacts),
    async usage() {
      const { measure } = await import("./usage/usage.ts");
      return measure(parts, await containers.list({ all: true }));
    },
    async convertLayers(to, signal) {
      const { convertLayers } = await import("../image/convert-layers.ts");
      const { ImageStore } = await import("../image/store/image-store.ts");
      return convertLayers(new ImageStore(database, paths.content, snapshotter), snapshotter, inUse, to, signal);
    },
  };
}

/** A mounted image is used as by a running container. */
function mountsOf(paths: StorePaths, id: string): readonly ImageUser[] {
  if (!existsSync(paths.imageMounts)) return [];
  const { mountCounts }: typeof import("./image-files/mounts.ts") = require("./image-files/mounts.ts");
  return mountCounts(paths).has(id) ? [{ id, name: "", running: true, isMount: true }] : [];
}

/** At once, as images are found in the midst of transactions; but not by an exec or a list, which need none. */
function loadImages(options: ImagesOptions): Images {
  const { openImages }: typeof import("../image/images.ts") = require("../image/images.ts");
  return openImages(options);
}

function imageUser(paths: StorePaths, { id, name }: ContainerRecord): ImageUser {
  return { id, name, running: isActive(lifeOf(placesOf(paths, id))) };
}

async function loadVolumes(database: Database, paths: StorePaths, table: ContainerTable): Promise<Volumes> {
  const { openVolumes } = await import("./volumes/volumes.ts");
  return openVolumes({ database, paths, inUse: (name) => table.idsWithVolume(name) });
}
