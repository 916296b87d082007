import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageIndex } from "../../spec/image.ts";
import { parseDocument } from "../pull/manifests.ts";
import { DirectoryFiles } from "./files/file-set.ts";
import { DirectorySink } from "./files/file-sink.ts";
import { blobPath, LayoutSource, layoutIndex } from "./oci/layout-source.ts";
import { nameOfPlace, type PlaceOptions } from "./open-place.ts";
import type { PlaceName } from "./place-name.ts";
import { RegistryClients } from "./registry/clients.ts";
import { RegistrySource } from "./registry/registry-source.ts";
import { Repository } from "./registry/repository.ts";

/**
 * Removes an image: in a registry its manifest, with every tag that leads to it; in a layout its entry, and the blobs that no other
 * entry needs. Other transports have nothing that could be removed by name.
 */
export async function deletePlace(place: PlaceName, options: PlaceOptions = {}): Promise<void> {
  if (place.transport === "docker") return deleteFromRegistry(place, options);
  if (place.transport === "oci") return deleteFromLayout(place, options);
  throw new GalleyError("unimplemented", `Deleting images not implemented for ${place.transport}: images`, {
    op: "delete",
    subject: nameOfPlace(place),
  });
}

async function deleteFromRegistry(
  { reference }: Extract<PlaceName, { readonly transport: "docker" }>,
  options: PlaceOptions,
): Promise<void> {
  const clients = new RegistryClients(options.registry);
  const { descriptor } = await new RegistrySource(clients, reference).document(undefined, options);
  await new Repository(clients, reference).delete(descriptor.digest, options);
}

async function deleteFromLayout(
  place: Extract<PlaceName, { readonly transport: "oci" | "oci-archive" }>,
  options: PlaceOptions,
): Promise<void> {
  const directory = resolve(place.path);
  const files = new DirectoryFiles(place.path, directory);
  const { position, name } = place;
  const selection = position !== undefined ? { position } : name === undefined ? undefined : { name };
  const index = await layoutIndex(files);
  const chosen = new LayoutSource(nameOfPlace(place), files, selection).select(index);
  const rest: ImageIndex = { ...index, manifests: index.manifests.filter((entry) => entry !== chosen) };
  await new DirectorySink(directory).put("index.json", Buffer.from(JSON.stringify(rest)));
  const blobs = options.sharedBlobs === undefined ? directory : undefined;
  if (blobs === undefined) return; // Others may need what is shared.
  const needed = await reachable(place, files, rest.manifests);
  for (const digest of await reachable(place, files, [chosen])) {
    if (!needed.has(digest)) rmSync(join(blobs, blobPath(digest)), { force: true });
  }
}

/** Digests of everything that these descriptors lead to, as far as it is there. */
async function reachable(
  place: PlaceName,
  files: DirectoryFiles,
  roots: readonly Descriptor[],
): Promise<ReadonlySet<string>> {
  const name = nameOfPlace(place);
  const source = new LayoutSource(name, files, undefined);
  const found = new Set<string>();
  const queue = [...roots];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next.digest)) continue;
    found.add(next.digest);
    if (
      !/manifest|index/.test(next.mediaType) ||
      !existsSync(join(resolve("path" in place ? place.path : ""), blobPath(next.digest)))
    )
      continue;
    const { bytes, descriptor } = await source.document(next);
    const read = parseDocument(bytes, descriptor, name);
    if (read.kind === "index") queue.push(...read.index.manifests);
    else queue.push(read.manifest.config, ...read.manifest.layers);
  }
  return found;
}
