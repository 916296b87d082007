import type { ImageRecord } from "../../image/types.ts";
import { Methods } from "../format/template/values.ts";
import { goTime, isZeroTime } from "../format/time.ts";
import { ago, humanSize } from "../format/units.ts";
import { shortId } from "./text.ts";

const columns = "{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";

/** docker's default table of `images`, with and without digests. */
export const imageTable = `table {{.Repository}}\t{{.Tag}}\t${columns}`;
export const imageTableWithDigests = `table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t${columns}`;

/** What docker calls `raw`. */
export function imageRaw(digests: boolean): string {
  const digest = digests ? "digest: {{.Digest}}\n" : "";
  const rest = "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";
  return `repository: {{ .Repository }}\ntag: {{.Tag}}\n${digest}${rest}`;
}

export const imageHeadings: Readonly<Record<string, string>> = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
};

/** One line of `images`: a name of an image, or an image without one. */
export interface ImageName {
  readonly image: ImageRecord;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export interface ImageRowOptions {
  readonly truncate: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How many containers there are of each image ID; absent: not counted. */
  readonly containers?: ReadonlyMap<string, number>;
  /** Bytes on disk by image ID, and those of them that other images need too; absent: what layers hold when they are unpacked. */
  readonly sizes?: ReadonlyMap<string, { readonly size: number; readonly shared: number }>;
}

/** A line of `images` as templates see it. */
export function imageRow({ image, repository, tag, digest }: ImageName, options: ImageRowOptions): Methods {
  const { truncate, now, containers } = options;
  const disk = options.sizes?.get(image.id);
  const size = disk?.size ?? image.size;
  const measured = (bytes: (found: NonNullable<typeof disk>) => number) =>
    disk === undefined ? "N/A" : humanSize(bytes(disk), 4);
  return new Methods("*formatter.imageContext", {
    ID: () => (truncate ? shortId(image.id) : image.id),
    Repository: () => repository,
    Tag: () => tag,
    Digest: () => digest,
    CreatedSince: () => (isZeroTime(image.createdAt) ? "" : ago(image.createdAt, now)),
    CreatedAt: () => (isZeroTime(image.createdAt) ? "N/A" : goTime(image.createdAt)),
    Size: () => humanSize(size, 3),
    Containers: () => (containers === undefined ? "N/A" : String(containers.get(image.id) ?? 0)),
    VirtualSize: () => humanSize(size),
    SharedSize: () => measured(({ shared }) => shared),
    UniqueSize: () => measured(({ size: whole, shared }) => whole - shared),
  });
}

/** The names of images as lines: each tag, with the digests of its repository where they are asked for, then digests alone. */
export function imageNames(images: readonly ImageRecord[], withDigests: boolean): readonly ImageName[] {
  return images.flatMap((image) => namesOf(image, withDigests));
}

const NONE = "<none>";

function namesOf(image: ImageRecord, withDigests: boolean): readonly ImageName[] {
  const digests = image.digests.map((name) => split(name, "@"));
  const tagged = image.names.flatMap((name) => {
    const [repository, tag] = split(name, ":");
    const own = withDigests ? digests.filter(([of]) => of === repository).map(([, digest]) => digest) : [];
    return (own.length > 0 ? own : [NONE]).map((digest) => ({ image, repository, tag, digest }));
  });
  const repositories = new Set(tagged.map((name) => name.repository));
  const untagged = digests.filter(([repository]) => !repositories.has(repository));
  const shown = withDigests ? untagged : uniqueRepositories(untagged);
  const lines = [...tagged, ...shown.map(([repository, digest]) => ({ image, repository, tag: NONE, digest }))];
  return lines.length > 0 ? lines : [{ image, repository: NONE, tag: NONE, digest: NONE }];
}

function uniqueRepositories(names: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return [...new Map(names.map(([repository, digest]) => [repository, [repository, digest] as const])).values()];
}

/** Around the last separator. */
function split(name: string, separator: string): readonly [string, string] {
  const at = name.lastIndexOf(separator);
  return [name.slice(0, at), name.slice(at + 1)];
}
