import type { Timespec } from "../../../linux/sys/sys.ts";
import type { TarEntry, TarType } from "../../layers/tar/entry.ts";

/** Where a chunk of a file's content is. */
export interface PlacedChunk {
  /** Hexadecimal, with its algorithm. */
  readonly digest: string;
  /** Bytes of content, and the first of them in the file. */
  readonly size: number;
  readonly position: number;
  /** Of its frame in the blob. */
  readonly offset: number;
  readonly zeros: boolean;
}

/** A file's content as it lies in the blob; `end` is behind its last frame. */
export interface PlacedContent {
  readonly digest: string;
  readonly end: number;
  readonly chunks: readonly PlacedChunk[];
}

const typeNames: Readonly<Record<TarType, string>> = {
  file: "reg",
  hardlink: "hardlink",
  symlink: "symlink",
  char: "char",
  block: "block",
  directory: "dir",
  fifo: "fifo",
};

/**
 * An entry of the table of contents, and one more for each further chunk of it, in the words of containers/storage
 * (pkg/chunked, `FileMetadata`). Zeros and empty texts are left out.
 */
export function tableEntries(entry: TarEntry, content: PlacedContent | undefined): readonly object[] {
  const chunks = content?.chunks ?? [];
  const whole = { ...metadataOf(entry), ...placeOf(content), ...(chunks.length > 1 ? chunkOf(chunks[0]) : {}) };
  const others = chunks.slice(1).map((chunk) => ({ type: "chunk", name: entry.name, ...chunkOf(chunk) }));
  return [withoutNothing(whole), ...others.map(withoutNothing)];
}

function metadataOf(entry: TarEntry): Readonly<Record<string, unknown>> {
  return {
    type: typeNames[entry.type],
    name: entry.name,
    linkName: entry.linkName,
    mode: entry.rawMode,
    size: entry.size,
    uid: entry.uid,
    gid: entry.gid,
    modtime: timeOf(entry.modified),
    accesstime: timeOf(entry.accessed),
    changetime: timeOf(entry.changed),
    devMajor: entry.major,
    devMinor: entry.minor,
    xattrs: xattrsOf(entry.xattrs),
  };
}

function placeOf(content: PlacedContent | undefined): Readonly<Record<string, unknown>> {
  if (content === undefined) return {};
  return { digest: content.digest, offset: content.chunks[0]?.offset, endOffset: content.end };
}

function chunkOf(chunk: PlacedChunk | undefined): Readonly<Record<string, unknown>> {
  if (chunk === undefined) return {};
  const place = { offset: chunk.offset, chunkSize: chunk.size, chunkOffset: chunk.position };
  return { ...place, chunkDigest: chunk.digest, chunkType: chunk.zeros ? "zeros" : "" };
}

/** RFC 3339 with nanoseconds. The beginning of 1970 stands for no time. */
function timeOf(time: Timespec | undefined): string | undefined {
  if (time === undefined || (time.seconds === 0 && time.nanoseconds === 0)) return undefined;
  const whole = new Date(time.seconds * 1000).toISOString().slice(0, -5);
  const fraction = time.nanoseconds === 0 ? "" : `.${String(time.nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

function xattrsOf(xattrs: TarEntry["xattrs"]): Readonly<Record<string, string>> | undefined {
  if (xattrs === undefined) return undefined;
  return Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
}

function withoutNothing(entry: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== undefined && value !== 0 && value !== ""),
  );
}
