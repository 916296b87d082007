import type { Descriptor } from "../../spec/image.ts";

/** The annotation by which a layout's index names its images (image-spec annotations.md). */
const REF_NAME = "org.opencontainers.image.ref.name";

/** Our own: the digest of what a manifest is about, so that no manifest must be read to know who refers to what. */
const SUBJECT = "io.galley.registry.subject";

/** A manifest of a repository. */
export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** Digest of the manifest that this one is about. */
  readonly subject?: string;
}

/** The manifests of a repository and their tags, as one value: a change makes another. */
export interface RepositoryIndex {
  /** By digest. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** Digest by tag, in the order of the tags. */
  readonly tags: ReadonlyMap<string, string>;
  /** Digests of the manifests that name a digest as their subject. */
  readonly referrers: ReadonlyMap<string, readonly string[]>;
}

/** What makes one index from another. */
export type IndexChange = (index: RepositoryIndex) => RepositoryIndex;

/** Adds a manifest, and tags that lead to it. */
export function withManifest(manifest: Manifest, tags: readonly string[]): IndexChange {
  return (index) =>
    indexOf(
      new Map(index.manifests).set(manifest.digest, manifest),
      new Map([...index.tags, ...tags.map((tag) => [tag, manifest.digest] as const)]),
    );
}

/** Removes a manifest and all its tags. */
export function withoutManifest(digest: string): IndexChange {
  return (index) => {
    const manifests = new Map(index.manifests);
    manifests.delete(digest);
    return indexOf(manifests, new Map([...index.tags].filter(([, target]) => target !== digest)));
  };
}

/** Removes a tag; its manifest stays. */
export function withoutTag(tag: string): IndexChange {
  return (index) => {
    const tags = new Map(index.tags);
    tags.delete(tag);
    return indexOf(index.manifests, tags);
  };
}

function indexOf(manifests: ReadonlyMap<string, Manifest>, tags: ReadonlyMap<string, string>): RepositoryIndex {
  const referrers = new Map<string, string[]>();
  for (const { digest, subject } of manifests.values()) {
    if (subject === undefined) continue;
    const known = referrers.get(subject);
    if (known === undefined) referrers.set(subject, [digest]);
    else known.push(digest);
  }
  return { manifests, tags: new Map([...tags].sort(byName)), referrers };
}

/** As Go sorts strings: by bytes. Tags are ASCII. */
function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The index of a layout without images. */
export const emptyIndex: RepositoryIndex = { manifests: new Map(), tags: new Map(), referrers: new Map() };

/** As an `index.json` (image-spec image-layout.md): an entry for each tag, and one for each manifest that has none. */
export function encodeIndex({ manifests, tags }: RepositoryIndex): string {
  const untagged = new Set(manifests.keys());
  for (const digest of tags.values()) untagged.delete(digest);
  const entry = (digest: string, tag?: string): readonly Descriptor[] => {
    const manifest = manifests.get(digest);
    return manifest === undefined ? [] : [descriptorOf(manifest, tag)];
  };
  const entries = [
    ...[...tags].flatMap(([tag, digest]) => entry(digest, tag)),
    ...[...untagged].flatMap((one) => entry(one)),
  ];
  return JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: entries });
}

function descriptorOf({ mediaType, digest, size, subject }: Manifest, tag: string | undefined): Descriptor {
  const annotations = {
    ...(tag === undefined ? {} : { [REF_NAME]: tag }),
    ...(subject === undefined ? {} : { [SUBJECT]: subject }),
  };
  return { mediaType, digest, size, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

/** Reads what {@link encodeIndex} wrote. */
export function decodeIndex(text: string): RepositoryIndex {
  const { manifests: entries } = JSON.parse(text) as { readonly manifests: readonly Descriptor[] };
  const manifests = new Map<string, Manifest>();
  const tags = new Map<string, string>();
  for (const { mediaType, digest, size, annotations } of entries) {
    const subject = annotations?.[SUBJECT];
    manifests.set(digest, { mediaType, digest, size, ...(subject === undefined ? {} : { subject }) });
    const tag = annotations?.[REF_NAME];
    if (tag !== undefined) tags.set(tag, digest);
  }
  return indexOf(manifests, tags);
}
