import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { lockFile } from "../../linux/sys/lock.ts";
import type { Descriptor, ImageManifest } from "../../spec/image.ts";
import { parseDocument } from "../pull/manifests.ts";
import { DirectoryFiles } from "../transports/files/file-set.ts";
import { DirectorySink } from "../transports/files/file-sink.ts";
import { LayoutDestination } from "../transports/oci/layout-destination.ts";
import { blobPath, LayoutSource, layoutIndex, REF_NAME } from "../transports/oci/layout-source.ts";

/** An artifact of the store: files that a registry keeps beside images, under a name of their own. */
export interface Artifact {
  /** As it was given: `quay.io/team/notes:1`. */
  readonly name: string;
  readonly digest: string;
  readonly manifest: ImageManifest;
}

/**
 * Artifacts in an OCI layout of their own (image-spec manifest.md, "Guidelines for Artifact Usage"): they are no images, and no
 * collection of images' content concerns them. One writer at a time; readers need not wait.
 */
export class ArtifactStore {
  constructor(private readonly directory: string) {}

  async list(): Promise<readonly Artifact[]> {
    if (!existsSync(join(this.directory, "index.json"))) return [];
    const { manifests } = await layoutIndex(this.#files());
    return Promise.all(manifests.map((entry) => this.#read(entry)));
  }

  async #read(entry: Descriptor): Promise<Artifact> {
    const source = new LayoutSource(this.directory, this.#files(), undefined);
    const { bytes, descriptor } = await source.document(entry);
    const name = entry.annotations?.[REF_NAME] ?? "";
    const parsed = parseDocument(bytes, descriptor, name);
    if (parsed.kind === "index")
      throw new GalleyError("data_loss", "it is a list and no artifact", { op: "read artifact", subject: name });
    return { name, digest: entry.digest, manifest: parsed.manifest };
  }

  /** By name, or by the beginning of its digest. */
  async find(text: string): Promise<Artifact | undefined> {
    const all = await this.list();
    const named = all.find(({ name }) => name === text);
    if (named !== undefined || !/^(sha256:)?[0-9a-f]{3,64}$/.test(text)) return named;
    return all.find(({ digest }) => digest.startsWith(`sha256:${text.replace("sha256:", "")}`));
  }

  /** As {@link find}, where absence is an error, in podman's words. */
  async get(text: string): Promise<Artifact> {
    const found = await this.find(text);
    if (found !== undefined) return found;
    throw new GalleyError("not_found", `${text}: artifact does not exist`);
  }

  /** To be copied from; closed by the caller. */
  source({ name }: Artifact): LayoutSource {
    return new LayoutSource(name, this.#files(), { name });
  }

  /** To be copied to; an artifact of the name is replaced at the commit. Closed by the caller. */
  destination(name: string): LayoutDestination {
    const files = this.#files();
    return new LayoutDestination({
      name,
      refName: name,
      layers: "any",
      files,
      sink: new DirectorySink(this.directory),
    });
  }

  /** To be called inside {@link alone}. */
  async remove({ name }: Artifact): Promise<void> {
    const index = await layoutIndex(this.#files());
    const manifests = index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== name);
    await new DirectorySink(this.directory).put("index.json", Buffer.from(JSON.stringify({ ...index, manifests })));
    await this.sweep();
  }

  /** Deletes content that no artifact leads to, and what a killed writer left. To be called inside {@link alone}. */
  async sweep(): Promise<void> {
    const artifacts = await this.list();
    const needed = artifacts.flatMap(({ digest, manifest: { config, layers } }) => [
      digest,
      config.digest,
      ...layers.map((layer) => layer.digest),
    ]);
    const kept = new Set(needed.map((digest) => blobPath(digest)));
    const blobs = join(this.directory, "blobs");
    const held = existsSync(blobs)
      ? readdirSync(blobs).flatMap((algorithm) =>
          readdirSync(join(blobs, algorithm)).map((hex) => `blobs/${algorithm}/${hex}`),
        )
      : [];
    const partial = readdirSync(this.directory).filter((name) => name.startsWith(".partial-"));
    for (const path of [...held.filter((path) => !kept.has(path)), ...partial])
      rmSync(join(this.directory, path), { force: true });
  }

  /** Runs what changes the layout while nobody else does. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    using _lock = await lockFile(join(this.directory, ".lock"), "exclusive");
    return await work();
  }

  #files(): DirectoryFiles {
    return new DirectoryFiles(this.directory, this.directory);
  }
}
