import type { Parts } from "./lifecycle/parts.ts";
import { reconcile } from "./lifecycle/reconcile.ts";
import type { VolumeFilters, VolumeRecord } from "./volumes/types.ts";

/** {@link Parts.volumes} for those who ask for volumes alone; loaded at the first call. What is removed was looked at after repairs. */
export class StoredVolumes {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(name: string | undefined, labels: Readonly<Record<string, string>>): Promise<VolumeRecord> {
    return (await this.#parts.volumes()).create(name, labels);
  }

  async list(filters: VolumeFilters): Promise<readonly VolumeRecord[]> {
    await reconcile(this.#parts);
    return (await this.#parts.volumes()).list(filters);
  }

  async inspect(name: string): Promise<Record<string, unknown>> {
    return (await this.#parts.volumes()).inspect(name);
  }

  async remove(name: string): Promise<void> {
    await reconcile(this.#parts);
    return (await this.#parts.volumes()).remove(name);
  }

  async prune(options: { readonly all: boolean; readonly filters: VolumeFilters }) {
    await reconcile(this.#parts);
    return (await this.#parts.volumes()).prune(options);
  }
}
