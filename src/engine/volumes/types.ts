/** What the volumes give. Names are docker's; files are in `_data` of the volume's directory. */

export interface VolumeRecord {
  readonly name: string;
  /** Where its files are. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** docker's `--filter` pairs by key. */
export type VolumeFilters = Readonly<Record<string, readonly string[]>>;

export interface PruneRequest {
  /** Those with a name too. */
  readonly all: boolean;
  readonly filters: VolumeFilters;
}

export interface PruneResult {
  readonly removed: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** IDs of the containers, running or not, that a volume belongs to. Called within the volumes' transactions, on the same database. */
export type VolumeUsers = (name: string) => readonly string[];
