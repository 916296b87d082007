import { renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Descriptor } from "../../spec/image.ts";
import type { Source } from "../transports/place.ts";
import { verified } from "../verify/read.ts";
import type { Artifact, ArtifactStore } from "./artifact-store.ts";

const TITLE = "org.opencontainers.image.title";

export interface ExtractRequest {
  /** A directory, or a file for one blob. */
  readonly path: string;
  readonly digest?: string | undefined;
  readonly title?: string | undefined;
}

/** Writes an artifact's files, each checked and then put in place whole. Titles are names and no paths: what is hostile is refused. */
export async function extractArtifact(
  store: ArtifactStore,
  artifact: Artifact,
  request: ExtractRequest,
): Promise<void> {
  const layers = chosen(artifact, request);
  const isDirectory = statSync(request.path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory && layers.length > 1) {
    const why = `the artifact consists of several blobs and the target ${JSON.stringify(request.path)} is not a directory and neither digest or title was specified to only copy a single blob`;
    throw new GalleyError("invalid_argument", why);
  }
  const targets = layers.map(
    (layer) => [layer, isDirectory ? join(request.path, nameOf(layer, artifact)) : request.path] as const,
  );
  const source = store.source(artifact);
  for (const [layer, path] of targets) await write(source, layer, path);
}

function chosen({ manifest, name }: Artifact, { digest, title }: ExtractRequest): readonly Descriptor[] {
  const { layers } = manifest;
  if (digest !== undefined)
    return some(
      layers.filter((layer) => layer.digest === digest || layer.digest === `sha256:${digest}`),
      `no blob with the digest ${JSON.stringify(digest)}`,
      name,
    );
  if (title !== undefined)
    return some(
      layers.filter(({ annotations }) => annotations?.[TITLE] === title),
      `no blob with the title ${JSON.stringify(title)}`,
      name,
    );
  return layers;
}

function some(layers: readonly Descriptor[], message: string, name: string): readonly Descriptor[] {
  if (layers.length > 0) return layers;
  throw new GalleyError("not_found", message, { op: "extract", subject: name });
}

/** The title, or the digest where there is none. */
function nameOf({ annotations, digest }: Descriptor, { name }: Artifact): string {
  const title = annotations?.[TITLE] ?? digest.replace(":", "-");
  if (title !== "" && title !== "." && title !== ".." && !/[/\\\0]/.test(title)) return title;
  throw new GalleyError("invalid_argument", `the title ${JSON.stringify(title)} cannot be a file's name`, {
    op: "extract",
    subject: name,
    hint: "--title with a path that is a file writes it there",
  });
}

async function write(source: Source, layer: Descriptor, path: string): Promise<void> {
  const temporary = `${path}.galley-${crypto.randomUUID()}`;
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      for await (const chunk of verified(source.blob(layer), layer)) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
    renameSync(temporary, path);
  } catch (failure) {
    rmSync(temporary, { force: true });
    throw toGalleyError(failure, { op: "write", subject: path });
  }
}
