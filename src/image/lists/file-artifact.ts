import { basename, resolve } from "node:path";
import { toGalleyError } from "../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../spec/image.ts";
import { mediaTypeOf, TITLE } from "../artifacts/media-type.ts";
import { digestOf } from "../digest.ts";

/** What podman calls an artifact of which nobody says what it is. */
const UNKNOWN = "application/vnd.unknown.artifact.v1";

/** The configuration of what needs none (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
const EMPTY = Buffer.from("{}");

/** An artifact of a list: its manifest, and where the files are that it tells of. They are read when the list is pushed. */
export interface FileArtifact {
  /** The manifest's text, its configuration within. */
  readonly manifest: string;
  readonly files: readonly { readonly digest: string; readonly path: string }[];
}

/** What podman-manifest-add(1) lets one say of an artifact. */
export interface ArtifactRequest {
  readonly paths: readonly string[];
  /** Absent: one that says nothing. Empty: none. */
  readonly type?: string | undefined;
  /** Path of the configuration; absent: an empty one. */
  readonly config?: string | undefined;
  readonly configType?: string | undefined;
  /** Of all files; absent: told from each one's name or content. */
  readonly layerType?: string | undefined;
  readonly titles: boolean;
}

/** The artifact of some files, as podman 5 makes it byte for byte, and its descriptor for the list. */
export async function artifactOfFiles(
  request: ArtifactRequest,
): Promise<{ readonly entry: Descriptor; readonly artifact: FileArtifact }> {
  const { type = UNKNOWN } = request;
  const config = await configOf(request);
  const files: { digest: string; path: string }[] = [];
  const layers: Descriptor[] = [];
  for (const path of request.paths.map((one) => resolve(one))) {
    const layer = await layerOf(path, request);
    layers.push(layer);
    files.push({ digest: layer.digest, path });
  }
  const artifactType = type === "" ? {} : { artifactType: type };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, ...artifactType, config, layers } as const;
  const text = JSON.stringify(manifest satisfies ImageManifest);
  const entry = { mediaType: mediaTypes.ociManifest, size: Buffer.byteLength(text), digest: digestOf(text) };
  return { entry: { ...entry, ...artifactType }, artifact: { manifest: text, files } };
}

async function configOf({ config, configType }: ArtifactRequest): Promise<Descriptor> {
  const bytes = config === undefined ? EMPTY : await readSmall(resolve(config));
  const usual = config === undefined ? mediaTypes.ociEmpty : mediaTypes.ociConfig;
  const data = Buffer.from(bytes).toString("base64");
  return { mediaType: configType ?? usual, digest: digestOf(bytes), size: bytes.length, data };
}

async function readSmall(path: string): Promise<Uint8Array> {
  return Bun.file(path).bytes().catch(unreadable(path));
}

async function layerOf(path: string, { layerType, titles }: ArtifactRequest): Promise<Descriptor> {
  const { digest, size } = await hashed(path);
  const mediaType = layerType ?? (await mediaTypeOf(path)).replace(/;.*$/, "");
  return { mediaType, digest, size, ...(titles ? { annotations: { [TITLE]: basename(path) } } : {}) };
}

async function hashed(path: string): Promise<{ readonly digest: string; readonly size: number }> {
  const hasher = new Bun.CryptoHasher("sha256");
  let size = 0;
  for await (const chunk of fileContent(path)) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hasher.digest("hex")}`, size };
}

/** A file of this host from `offset` to its end. */
export async function* fileContent(path: string, offset = 0): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of Bun.file(path).slice(offset).stream()) yield chunk;
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}

function unreadable(path: string): (failure: unknown) => never {
  return (failure) => {
    throw toGalleyError(failure, { op: "read", subject: path });
  };
}
