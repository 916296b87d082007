import { type Descriptor, type ImageIndex, mediaTypes } from "../../../spec/image.ts";
import type { FileSet } from "../files/file-set.ts";
import type { FileSink } from "../files/file-sink.ts";
import type { Destination, Document, NewBlob, Reuse, Source, Traits } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import { blobPath, layoutIndex, REF_NAME } from "./layout-source.ts";

export interface LayoutParts {
  readonly name: string;
  readonly sink: FileSink;
  /** What is there already; absent for an archive, which is made anew. */
  readonly files?: FileSet | undefined;
  /** The image's name in the layout. */
  readonly refName?: string | undefined;
  readonly layers: Traits["layers"];
  /** Images that the index has besides. */
  readonly entries?: readonly Descriptor[];
  /** Where blobs go when the layout shares them with others, and what is there. */
  readonly shared?: { readonly sink: FileSink; readonly files: FileSet } | undefined;
}

/** An image in an OCI layout that is written: other images of the layout stay, one of the same name loses it. */
export class LayoutDestination implements Destination {
  readonly name: string;
  readonly traits: Traits;
  protected root: Descriptor | undefined;

  constructor(private readonly parts: LayoutParts) {
    this.name = parts.name;
    const manifests = [mediaTypes.ociManifest, mediaTypes.ociIndex];
    this.traits = { lists: true, foreign: true, layers: parts.layers, manifests };
  }

  async reuse(blob: Descriptor, _source: Source): Promise<Reuse> {
    const { files, shared } = this.parts;
    const size = shared === undefined ? files?.size(blobPath(blob.digest)) : shared.files.size(sharedPath(blob.digest));
    return (await size) === blob.size ? "present" : "absent";
  }

  writeBlob(blob: NewBlob, options?: TransportOptions) {
    const { sink, shared } = this.parts;
    if (shared === undefined) return sink.writeBlob(blob, blobPath, options);
    return shared.sink.writeBlob(blob, sharedPath, options);
  }

  async writeDocument({ bytes, descriptor }: Document, role: "root" | "part"): Promise<void> {
    const { sink, shared } = this.parts;
    if (shared === undefined) await sink.put(blobPath(descriptor.digest), bytes);
    else await shared.sink.put(sharedPath(descriptor.digest), bytes);
    if (role === "root") this.root = descriptor;
  }

  async commit(): Promise<void> {
    const { sink, files, refName, entries = [] } = this.parts;
    const before =
      files === undefined || (await files.size("index.json")) === undefined ? [] : await layoutIndex(files);
    const kept = "manifests" in before ? before.manifests : entries;
    const root = this.root;
    const manifests = root === undefined ? kept : withImage(kept, root, refName);
    const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    await sink.put("oci-layout", Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
    await sink.put("index.json", Buffer.from(JSON.stringify(index)));
    await sink.finish();
    await this.parts.shared?.sink.finish();
  }

  async close(): Promise<void> {
    await this.parts.sink.close();
    await this.parts.shared?.sink.close();
  }
}

/** Blobs that layouts share are kept by algorithm, without the directory `blobs`. */
function sharedPath(digest: string): string {
  return blobPath(digest).slice("blobs/".length);
}

/** A nameless image takes the place of the same one without a name, a named one that of its name. */
function withImage(
  before: readonly Descriptor[],
  root: Descriptor,
  refName: string | undefined,
): readonly Descriptor[] {
  const kept = before.filter(({ digest, annotations }) =>
    refName === undefined
      ? digest !== root.digest || annotations?.[REF_NAME] !== undefined
      : annotations?.[REF_NAME] !== refName && (digest !== root.digest || annotations?.[REF_NAME] !== undefined),
  );
  return [...kept, refName === undefined ? root : { ...root, annotations: { [REF_NAME]: refName } }];
}
