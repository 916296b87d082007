import { GalleyError } from "../../errors.ts";
import { type Descriptor, type ImageIndex, mediaTypes, type Platform } from "../../spec/image.ts";
import type { FileArtifact } from "./file-artifact.ts";

/** A list of images for several platforms that is put together in the store. A value; changes give new ones. */
export interface ManifestList {
  /** In full: `docker.io/library/app:1`. */
  readonly name: string;
  /** Hexadecimal digits, the same for all its life. */
  readonly id: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
  /** What the list is about, if it is about something that registries keep. */
  readonly subject?: Descriptor;
  /** Where each manifest comes from, a place as people write it, by its digest. */
  readonly sources: Readonly<Record<string, string>>;
  /** Those of the manifests that are artifacts of this host's files, by their digests. */
  readonly artifacts: Readonly<Record<string, FileArtifact>>;
}

/** What is said of one image of a list; what is absent stays as it is. */
export interface EntryChange {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
  /** Kept for Docker's lists; OCI's have no place for them. */
  readonly features?: readonly string[] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The list with one image more, or with this one in place of the same before. */
export function withEntry(list: ManifestList, entry: Descriptor, place: string): ManifestList {
  const others = list.manifests.filter(({ digest }) => digest !== entry.digest);
  return { ...list, manifests: [...others, entry], sources: { ...list.sources, [entry.digest]: place } };
}

/** The list with one artifact more, or with this one in place of the same before. */
export function withArtifact(list: ManifestList, entry: Descriptor, artifact: FileArtifact): ManifestList {
  const others = list.manifests.filter(({ digest }) => digest !== entry.digest);
  return { ...list, manifests: [...others, entry], artifacts: { ...list.artifacts, [entry.digest]: artifact } };
}

/** The list without the image of this digest; `not_found` where there is none. */
export function withoutEntry(list: ManifestList, digest: string): ManifestList {
  entryOf(list, digest);
  const { [digest]: _gone, ...sources } = list.sources;
  const { [digest]: _also, ...artifacts } = list.artifacts;
  return { ...list, sources, artifacts, manifests: list.manifests.filter((entry) => entry.digest !== digest) };
}

/** The list with something else said of one of its images; `not_found` where there is none. */
export function withChange(list: ManifestList, digest: string, change: EntryChange): ManifestList {
  const before = entryOf(list, digest);
  const after = changedEntry(before, change);
  return { ...list, manifests: list.manifests.map((entry) => (entry === before ? after : entry)) };
}

function entryOf({ name, manifests }: ManifestList, digest: string): Descriptor {
  const found = manifests.find((entry) => entry.digest === digest);
  if (found !== undefined) return found;
  throw new GalleyError("not_found", `the list holds no image with the digest ${digest}`, { subject: name });
}

/** A descriptor of which something else is said. */
export function changedEntry(entry: Descriptor, change: EntryChange): Descriptor {
  const platform = platformWith(entry.platform, change);
  const annotations = { ...entry.annotations, ...change.annotations };
  return {
    ...entry,
    ...(platform === undefined ? {} : { platform }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function platformWith(before: Platform | undefined, change: EntryChange): Platform | undefined {
  const { os, architecture, osVersion, osFeatures } = change;
  const cpu = change.features ?? before?.features;
  // A variant is one of an architecture: it does not outlive it.
  const variant = change.variant ?? (architecture === undefined ? before?.variant : undefined);
  if (before === undefined && os === undefined && architecture === undefined) return undefined;
  const version = osVersion ?? before?.["os.version"];
  const features = osFeatures ?? before?.["os.features"];
  return {
    architecture: architecture ?? before?.architecture ?? "",
    os: os ?? before?.os ?? "linux",
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features === undefined ? {} : { "os.features": features }),
    ...(variant === undefined ? {} : { variant }),
    ...(cpu === undefined ? {} : { features: cpu }),
  };
}

const docker: readonly string[] = [mediaTypes.dockerManifest, mediaTypes.dockerList];

/** The index as it is pushed: of Docker's type where all its images are of Docker's and nothing is said of it, which that type could not hold. */
export function indexOf({ manifests, annotations, subject }: ManifestList): ImageIndex {
  const isAnnotated = Object.keys(annotations).length > 0 || manifests.some((entry) => entry.annotations !== undefined);
  const isDocker =
    !isAnnotated &&
    subject === undefined &&
    manifests.length > 0 &&
    manifests.every(({ mediaType }) => docker.includes(mediaType));
  return {
    schemaVersion: 2,
    mediaType: isDocker ? mediaTypes.dockerList : mediaTypes.ociIndex,
    manifests: isDocker ? manifests : manifests.map(withoutFeatures),
    ...(subject === undefined ? {} : { subject }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function withoutFeatures(entry: Descriptor): Descriptor {
  if (entry.platform?.features === undefined) return entry;
  const { features: _none, ...platform } = entry.platform;
  return { ...entry, platform };
}
