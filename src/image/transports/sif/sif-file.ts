import { GalleyError } from "../../../errors.ts";
import { fileSection, inside, type Section } from "../../layers/squashfs/section.ts";
import { REMEDY } from "../../verify/remedy.ts";

/** What a descriptor may describe, of which we know what an image is made of (SIF specification 1; sylabs/sif, pkg/sif). */
export type DataType = "definition" | "partition" | "oci" | "other";

const DATA_TYPES: Readonly<Record<number, DataType>> = {
  16385: "definition",
  16388: "partition",
  16394: "oci", // Root index of an OCI layout in the file.
};

/** What file systems partitions are, by their numbers. */
const FILE_SYSTEMS = ["unknown", "squashfs", "ext3", "archive", "raw data", "encrypted squashfs"] as const;

/** In a partition's descriptor: it is the one that a container's root is made of. */
const PRIMARY = 2;

/** Architectures in Go's words, by the numbers of the header: two digits. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  "01": "386",
  "02": "amd64",
  "03": "arm",
  "04": "arm64",
  "05": "ppc64",
  "06": "ppc64le",
  "07": "mips",
  "08": "mipsle",
  "09": "mips64",
  "10": "mips64le",
  "11": "s390x",
  "12": "riscv64",
  "13": "loong64",
};

/** One thing in a file. */
export interface SifObject {
  readonly type: DataType;
  /** Where it is, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Of partitions. */
  readonly fileSystem: (typeof FILE_SYSTEMS)[number];
  readonly primary: boolean;
}

/** A file in the Singularity Image Format. */
export interface SifFile {
  /** In Go's words, or `unknown`. */
  readonly architecture: string;
  /** A UUID. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly objects: readonly SifObject[];
  section(object: SifObject): Section;
}

/** Bytes of the global header and of a descriptor, which have no padding. */
const HEADER = 128;
const DESCRIPTOR = 585;

/** More things than any file has: 48 is the usual room. */
const DESCRIPTORS_MAX = 4096;

/** The last second of the year 9999, beyond which no configuration can say when an image was made. */
const TIME_MAX = 253_402_300_799;

/** Reads header and descriptors of an open file. */
export function readSif(fd: number, size: number): SifFile {
  if (size < HEADER) throw lying(`it has ${size} bytes, less than a header`);
  const header = fileSection(fd, 0, size).read(0, HEADER, "the header");
  if (header.toString("latin1", 32, 42) !== "SIF_MAGIC\0") throw invalid("invalid SIF magic");
  if (header.toString("latin1", 42, 45) !== "01\0") throw invalid("incompatible SIF version");
  const modified = Number(header.readBigInt64LE(72));
  if (modified < 0 || modified > TIME_MAX) throw lying(`it was changed at second ${modified}, which is no time`);
  return {
    architecture: architectureAt(header, 45),
    id: uuid(header.toString("hex", 48, 64)),
    modified,
    objects: readObjects(fd, size, header),
    section: (object) => fileSection(fd, object.offset, object.size),
  };
}

function architectureAt(bytes: Buffer, at: number): string {
  return ARCHITECTURES[bytes.toString("latin1", at, at + 3).replace(/\0$/, "")] ?? "unknown";
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function readObjects(fd: number, size: number, header: Buffer): readonly SifObject[] {
  const count = Number(header.readBigInt64LE(88));
  const at = Number(header.readBigInt64LE(96));
  const room = Number(header.readBigInt64LE(104));
  if (count < 0 || count > DESCRIPTORS_MAX) throw lying(`it says to have ${count} descriptors`);
  if (room < count * DESCRIPTOR || !inside(at, count * DESCRIPTOR, size))
    throw lying(`its ${count} descriptors do not fit into ${room} bytes at ${at} of ${size}`);
  const bytes = fileSection(fd, 0, size).read(at, count * DESCRIPTOR, "the descriptors");
  const objects: SifObject[] = [];
  for (let index = 0; index < count; index++) {
    const descriptor = bytes.subarray(index * DESCRIPTOR, (index + 1) * DESCRIPTOR);
    if (descriptor[4] !== 0) objects.push(objectOf(descriptor, index, size));
  }
  return objects;
}

function objectOf(descriptor: Buffer, index: number, total: number): SifObject {
  const offset = Number(descriptor.readBigInt64LE(17));
  const size = Number(descriptor.readBigInt64LE(25));
  if (!inside(offset, size, total))
    throw lying(`its descriptor ${index} is of ${size} bytes at ${offset}, and the file has ${total}`);
  const type = DATA_TYPES[descriptor.readInt32LE(0)] ?? "other";
  return {
    type,
    offset,
    size,
    fileSystem: FILE_SYSTEMS[descriptor.readInt32LE(201)] ?? "unknown",
    primary: type === "partition" && descriptor.readInt32LE(205) === PRIMARY,
  };
}

function lying(message: string): GalleyError {
  return new GalleyError("data_loss", message, { op: "load SIF file", hint: REMEDY });
}

function invalid(message: string): GalleyError {
  return new GalleyError("invalid_argument", message, {
    op: "load SIF file",
    hint: "sif: reads what singularity and apptainer build, of version 01 of the format",
  });
}
