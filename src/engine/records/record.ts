import type { ContainerSpec, NetworkFacts, ResolvedProcess } from "../types.ts";

/** What the creation of a container decides, once and for all. */
export interface Made {
  readonly spec: ContainerSpec;
  readonly resolved: ResolvedProcess;
  /** Diff IDs of the image's layers, bottom first. */
  readonly layers: readonly string[];
}

/** What the last start decided, or why it failed. */
export interface Started {
  readonly network: NetworkFacts;
  /** What the container sees as its host's name. */
  readonly hostname: string;
  readonly failure?: { readonly exitCode: number; readonly message: string };
}

/** A container as the store keeps it. Whether it runs is known to its shim's status file. */
export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Digest of the image's configuration. */
  readonly imageId: string;
  /** ISO 8601. */
  readonly created: string;
  readonly made: Made;
  readonly started: Started | undefined;
}
