import { basename } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import type { ArtifactStore } from "./artifact-store.ts";
import { mediaTypeOf, TITLE } from "./media-type.ts";

const CREATED = "org.opencontainers.image.created";

/** The configuration of what needs none: `{}` (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
const empty = Buffer.from("{}");

export interface NewArtifact {
  readonly name: string;
  /** Paths on this host; each becomes a layer with its last name as the title. */
  readonly files: readonly string[];
  /** The kind of artifact; absent: none is said. */
  readonly type?: string | undefined;
  /** Media type of the files; absent: told from each file's name and beginning. */
  readonly fileType?: string | undefined;
  /** Of each of the files. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What to do with an artifact of the name: fail, add the files to it, or make it anew. */
  readonly existing: "fail" | "append" | "replace";
}

/** Makes an artifact of files. Gives its digest. */
export function addArtifact(store: ArtifactStore, wanted: NewArtifact): Promise<string> {
  return store.alone(async () => {
    const before = await store.find(wanted.name);
    if (before !== undefined && wanted.existing === "fail") {
      throw new GalleyError("already_exists", `${wanted.name}: artifact already exists`, {
        hint: "--append adds files to it, --replace makes it anew",
      });
    }
    if (before === undefined && wanted.existing === "append")
      throw new GalleyError("not_found", `${wanted.name}: artifact does not exist`);
    const base = wanted.existing === "append" ? before?.manifest : undefined;
    if (base !== undefined && wanted.type !== undefined)
      throw new GalleyError("invalid_argument", "append option is not compatible with type option", {
        subject: wanted.name,
      });
    refuseDoubles(wanted, base?.layers ?? []);
    const digest = await write(store, wanted, base);
    if (before !== undefined) await store.sweep();
    return digest;
  });
}

function refuseDoubles({ files, name }: NewArtifact, layers: readonly Descriptor[]): void {
  const titles = [
    ...layers.map(({ annotations }) => annotations?.[TITLE] ?? ""),
    ...files.map((path) => basename(path)),
  ];
  const twice = titles.find((title, index) => title !== "" && titles.indexOf(title) !== index);
  if (twice === undefined) return;
  throw new GalleyError("already_exists", `${twice}: a file of that name is in the artifact already`, {
    op: "add",
    subject: name,
  });
}

async function write(store: ArtifactStore, wanted: NewArtifact, base: ImageManifest | undefined): Promise<string> {
  const destination = store.destination(wanted.name);
  try {
    const layers: Descriptor[] = [];
    for (const path of wanted.files) {
      const mediaType = wanted.fileType ?? (await mediaTypeOf(path));
      const written = await destination.writeBlob({ mediaType, open: () => contentOf(path) });
      layers.push({ mediaType, ...written, annotations: { ...wanted.annotations, [TITLE]: basename(path) } });
    }
    await destination.writeBlob({ mediaType: mediaTypes.ociEmpty, open: () => once(empty) });
    const bytes = Buffer.from(JSON.stringify(manifestOf(wanted, base, layers)));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
    await destination.writeDocument({ bytes, descriptor }, "root");
    await destination.commit();
    return descriptor.digest;
  } finally {
    await destination.close();
  }
}

function manifestOf(
  { type }: NewArtifact,
  base: ImageManifest | undefined,
  layers: readonly Descriptor[],
): ImageManifest {
  const config = {
    mediaType: mediaTypes.ociEmpty,
    digest: digestOf(empty),
    size: empty.length,
    data: empty.toString("base64"),
  };
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(type === undefined ? {} : { artifactType: type }),
    config,
    ...base,
    layers: [...(base?.layers ?? []), ...layers],
    annotations: base?.annotations ?? { [CREATED]: new Date().toISOString() },
  };
}

async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of Bun.file(path).stream()) yield chunk;
  } catch (failure) {
    throw toGalleyError(failure, { op: "read", subject: path });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
