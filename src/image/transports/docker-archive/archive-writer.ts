import { GalleyError } from "../../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { familiarRepository, parseReference, type Reference, withDefaultTag } from "../../reference.ts";
import { ArchiveSink } from "../files/archive-sink.ts";
import type { Output } from "../files/output.ts";
import { blobPath, REF_NAME } from "../oci/layout-source.ts";
import type { Destination, Document, NewBlob, Reuse, Source, Traits } from "../place.ts";
import type { TransportOptions } from "../transport.ts";

/** The annotation by which Docker and containerd find a whole name in a layout. */
const IMAGE_NAME = "io.containerd.image.name";

interface Archived {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Canonical names with their tags. */
  readonly tags: readonly Reference[];
}

/**
 * An archive for `docker load` that is written, of any number of images. It is in the layout that Docker writes since version 25: an
 * OCI layout with `manifest.json` and `repositories` beside it, so that older and other programs read it too. Layers are plain tars.
 */
export class ArchiveWriter {
  readonly #sink: ArchiveSink;
  readonly #images = new Map<string, Archived>();
  /** Sizes, by digest, of what is in the archive already, for any of its images. */
  readonly #there = new Map<string, number>();

  constructor(
    readonly name: string,
    output: Output,
    scratch?: string,
  ) {
    this.#sink = new ArchiveSink(output, scratch);
  }

  /**
   * A place for one image. `whole` where nothing follows it: its commit finishes the archive, its closing closes it.
   * @param tags names of the image, without digests
   */
  image(tags: readonly string[], whole = false): Destination {
    return new ArchiveDestination(this.name, this.#sink, this.#there, {
      add: (config, layers) => this.#add(config, layers, tags.map(checkedTag)),
      finish: whole ? () => this.finish() : async () => undefined,
      close: whole ? () => this.close() : async () => undefined,
    });
  }

  /** An image that was added before gets further names. */
  #add(config: Descriptor, layers: readonly Descriptor[], tags: readonly Reference[]): void {
    const before = this.#images.get(config.digest)?.tags ?? [];
    this.#images.set(config.digest, { config, layers, tags: [...before, ...tags] });
  }

  /** Writes the lists of what is in the archive. */
  async finish(): Promise<void> {
    const images = [...this.#images.values()];
    const entries: Descriptor[] = [];
    for (const image of images) entries.push(...(await this.#manifestEntries(image)));
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries };
    await this.#put("index.json", index);
    await this.#put("manifest.json", images.map(listed));
    await this.#put("oci-layout", { imageLayoutVersion: "1.0.0" });
    await this.#put("repositories", repositories(images));
    await this.#sink.finish();
  }

  async #manifestEntries({ config, layers, tags }: Archived): Promise<readonly Descriptor[]> {
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { ...config, mediaType: mediaTypes.ociConfig },
      layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.ociLayer, digest, size })),
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
    await this.#sink.put(blobPath(descriptor.digest), bytes);
    if (tags.length === 0) return [descriptor];
    return tags.map((tag) => ({
      ...descriptor,
      annotations: { [IMAGE_NAME]: `${tag.domain}/${tag.path}:${tag.tag}`, [REF_NAME]: tag.tag ?? "" },
    }));
  }

  #put(path: string, value: unknown): Promise<void> {
    return this.#sink.put(path, Buffer.from(JSON.stringify(value)));
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

function checkedTag(text: string): Reference {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest === undefined) return reference;
  throw new GalleyError("invalid_argument", "an image in an archive is named by a tag, not by a digest", {
    op: "write archive",
    subject: text,
  });
}

function listed({ config, layers, tags }: Archived): Readonly<Record<string, unknown>> {
  return {
    Config: blobPath(config.digest),
    RepoTags: tags.length === 0 ? null : tags.map((tag) => `${familiarRepository(tag)}:${tag.tag}`),
    Layers: layers.map(({ digest }) => blobPath(digest)),
  };
}

/** The list that Docker read before version 1.10: tags by repository, each with its uppermost layer. */
function repositories(images: readonly Archived[]): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const all: Record<string, Record<string, string>> = {};
  for (const { layers, tags } of images) {
    const top = layers.at(-1)?.digest.replace("sha256:", "");
    for (const tag of tags) {
      if (top === undefined || tag.tag === undefined) continue;
      const name = familiarRepository(tag);
      all[name] = { ...all[name], [tag.tag]: top };
    }
  }
  return all;
}

interface Hooks {
  readonly add: (config: Descriptor, layers: readonly Descriptor[]) => void;
  readonly finish: () => Promise<void>;
  readonly close: () => Promise<void>;
}

class ArchiveDestination implements Destination {
  readonly traits: Traits = { manifests: [mediaTypes.dockerManifest], lists: false, layers: "plain" };

  constructor(
    readonly name: string,
    private readonly sink: ArchiveSink,
    private readonly there: Map<string, number>,
    private readonly hooks: Hooks,
  ) {}

  async reuse(blob: Descriptor, _source: Source): Promise<Reuse> {
    return this.there.has(blob.digest) ? "present" : "absent";
  }

  async writeBlob(blob: NewBlob, options?: TransportOptions) {
    // A layer that comes compressed is known by its diff ID before it is read.
    const { diffId = "" } = blob;
    const size = blob.expected === undefined ? this.there.get(diffId) : undefined;
    if (size !== undefined) return { digest: diffId, size };
    const written = await this.sink.writeBlob(blob, blobPath, options);
    this.there.set(written.digest, written.size);
    return written;
  }

  async writeDocument({ bytes }: Document, _role: "root" | "part"): Promise<void> {
    const { config, layers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
    this.hooks.add(config, layers);
  }

  commit(): Promise<void> {
    return this.hooks.finish();
  }

  close(): Promise<void> {
    return this.hooks.close();
  }
}
