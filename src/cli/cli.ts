import type { ImageFiles } from "../engine/image-files/image-files.ts";
import type { Containers } from "../engine/types.ts";
import type { Usage } from "../engine/usage/usage.ts";
import type { ArtifactStore } from "../image/artifacts/artifact-store.ts";
import type { ConvertedLayers } from "../image/convert-layers.ts";
import type { ManifestLists } from "../image/lists/manifest-lists.ts";
import type { Images } from "../image/types.ts";

/** Options before the command's name. Paths are absolute. */
export interface GlobalOptions {
  readonly root: string;
  readonly runroot: string;
  readonly debug: boolean;
  /** How new layers are kept: `auto`, `erofs` or `directories`. */
  readonly snapshotter?: "auto" | "erofs" | "directories";
}

/** A volume as lists show it. */
export interface VolumeRecord {
  readonly name: string;
  /** Where its files are. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Volumes by name; an unknown one is `not_found`, one that a container uses is `failed_precondition` when it is removed. */
export interface Volumes {
  /** Absent name: an anonymous one. Making one that is there already changes nothing. */
  create(name: string | undefined, labels: Readonly<Record<string, string>>): Promise<VolumeRecord>;
  list(filters: Readonly<Record<string, readonly string[]>>): Promise<readonly VolumeRecord[]>;
  /** docker's volume inspect object. */
  inspect(name: string): Promise<Record<string, unknown>>;
  remove(name: string): Promise<void>;
  /** Removes what no container uses; with `all` those with a name too. `reclaimed` in bytes. */
  prune(options: {
    readonly all: boolean;
    readonly filters: Readonly<Record<string, readonly string[]>>;
  }): Promise<{ readonly removed: readonly string[]; readonly reclaimed: number }>;
}

/** The parts of the engine that commands drive. */
export interface CliEngine {
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  imageFiles(): Promise<ImageFiles>;
  usage(): Promise<Usage>;
  manifestLists(): Promise<ManifestLists>;
  readonly hasManifestLists: boolean;
  artifacts(): Promise<ArtifactStore>;
  /** Gives all kept layers another form. */
  convertLayers(to: "erofs" | "directories"): Promise<ConvertedLayers>;
}

/** What commands see of the world: everything that a test would want to replace. */
export interface Cli {
  readonly options: GlobalOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  isTerminal(descriptor: 0 | 1 | 2): boolean;
  /** The engine on the store that the global options name; opened by the first call. */
  engine(): Promise<CliEngine>;
  /** Something waits that cannot be called off, such as a read of standard input: end the process when the command is done. */
  leaveWhenDone(): void;
}
