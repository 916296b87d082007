import { resolve } from "node:path";
import { GalleyError } from "../../errors.ts";
import { familiarName } from "../reference.ts";
import type { ArchiveOptions } from "./files/archive-files.ts";
import type { Selection } from "./oci/layout-source.ts";
import type { Destination, Source, Traits } from "./place.ts";
import type { PlaceName } from "./place-name.ts";
import type { RegistryOptions } from "./registry/clients.ts";

/** How places are reached. Everything has a default. */
export interface PlaceOptions extends ArchiveOptions {
  readonly registry?: RegistryOptions;
  /** Galley's own store, where it may be asked for. */
  readonly store?: StorePlaces | undefined;
  /** Of docker-daemon:. */
  readonly daemonHost?: string | undefined;
  /** Of oci:, a directory where several layouts keep their blobs. */
  readonly sharedBlobs?: string | undefined;
  /** Of destinations: how layers are wanted, where that is not as the transport has it. */
  readonly layers?: Traits["layers"] | undefined;
  /** Of docker-archive: as a destination, names beside the one of the place. */
  readonly additionalTags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Images of a store as places. */
export interface StorePlaces {
  source(reference: string): Promise<Source>;
  destination(names: readonly string[]): Promise<Destination>;
}

/** Opens an image to be read. Nothing but archives is touched before it is asked for something. */
export async function openSource(place: PlaceName, options: PlaceOptions = {}): Promise<Source> {
  switch (place.transport) {
    case "docker": {
      const [{ RegistrySource }, { RegistryClients }] = await registryParts();
      return new RegistrySource(new RegistryClients(options.registry), place.reference);
    }
    case "oci":
      return layoutSource(place, options);
    case "oci-archive":
      return archivedLayout(place, options);
    case "docker-archive":
      return dockerArchive(place, options);
    case "dir": {
      const { DirSource } = await import("./dir/dir-source.ts");
      return new DirSource(nameOfPlace(place), await directory(place.path));
    }
    case "docker-daemon": {
      const { daemonSource } = await import("./docker-daemon/daemon.ts");
      return daemonSource(place, daemonOptions(options));
    }
    case "sif": {
      const { SifSource } = await import("./sif/sif-source.ts");
      return SifSource.open(place.path, options);
    }
    case "containers-storage":
      return storeOf(options).source(place.name);
  }
}

async function registryParts() {
  return Promise.all([import("./registry/registry-source.ts"), import("./registry/clients.ts")]);
}

async function directory(path: string, name = path) {
  const { DirectoryFiles } = await import("./files/file-set.ts");
  return new DirectoryFiles(name, resolve(path));
}

type LayoutPlace = Extract<PlaceName, { readonly transport: "oci" | "oci-archive" }>;

function selectionOf({ name, position }: LayoutPlace): Selection {
  if (position !== undefined) return { position };
  return name === undefined ? undefined : { name };
}

async function layoutSource(place: LayoutPlace, { sharedBlobs }: PlaceOptions): Promise<Source> {
  const { LayoutSource } = await import("./oci/layout-source.ts");
  const files = await directory(place.path);
  const blobs = sharedBlobs === undefined ? files : await directory(sharedBlobs);
  return new LayoutSource(nameOfPlace(place), files, selectionOf(place), blobs);
}

async function archivedLayout(place: LayoutPlace, options: PlaceOptions): Promise<Source> {
  const [{ LayoutSource }, { ArchiveFiles }] = await Promise.all([
    import("./oci/layout-source.ts"),
    import("./files/archive-files.ts"),
  ]);
  return new LayoutSource(nameOfPlace(place), await ArchiveFiles.open(place.path, options), selectionOf(place));
}

async function dockerArchive(
  place: Extract<PlaceName, { readonly transport: "docker-archive" }>,
  options: PlaceOptions,
): Promise<Source> {
  const [{ archivedImages, ArchiveSource, selectImage }, { ArchiveFiles }] = await Promise.all([
    import("./docker-archive/archive-source.ts"),
    import("./files/archive-files.ts"),
  ]);
  const { position, tag } = place;
  const selection = position !== undefined ? { position } : tag === undefined ? undefined : { tag };
  const files = await ArchiveFiles.open(place.path, options);
  try {
    const image = selectImage(files, await archivedImages(files), selection);
    return new ArchiveSource(nameOfPlace(place), files, image);
  } catch (failure) {
    await files.close();
    throw failure;
  }
}

function daemonOptions({ daemonHost, env = process.env, ...options }: PlaceOptions) {
  return { ...options, host: daemonHost, env };
}

function storeOf({ store }: PlaceOptions): StorePlaces {
  if (store !== undefined) return store;
  throw new GalleyError("unimplemented", "there is no store here", { op: "open", subject: "containers-storage:" });
}

/** Opens an image to be written. What is there is replaced at the commit, as far as the transport allows. */
export async function openDestination(place: PlaceName, options: PlaceOptions = {}): Promise<Destination> {
  switch (place.transport) {
    case "docker": {
      const [{ RegistryDestination }, { RegistryClients }] = await Promise.all([
        import("./registry/registry-destination.ts"),
        import("./registry/clients.ts"),
      ]);
      return new RegistryDestination(new RegistryClients(options.registry), place.reference);
    }
    case "oci":
    case "oci-archive":
      return layoutDestination(place, options);
    case "docker-archive":
      return archiveDestination(place, options);
    case "dir": {
      const { DirDestination } = await import("./dir/dir-destination.ts");
      const destination = new DirDestination(nameOfPlace(place), resolve(place.path), options.layers);
      await destination.prepare();
      return destination;
    }
    case "docker-daemon": {
      if ("id" in place) throw notAsDestination(place, "an image's ID is no name to give");
      if (place.reference.digest !== undefined) throw notAsDestination(place, "a digest is no name to give");
      const { daemonDestination } = await import("./docker-daemon/daemon.ts");
      return daemonDestination(place.reference, daemonOptions(options));
    }
    case "sif":
      throw notAsDestination(place, '"sif:" locations can only be read from, not written to');
    case "containers-storage":
      return storeOf(options).destination([place.name]);
  }
}

function notAsDestination(place: PlaceName, why: string): GalleyError {
  return new GalleyError("invalid_argument", why, { op: "write", subject: nameOfPlace(place) });
}

async function layoutDestination(place: LayoutPlace, options: PlaceOptions): Promise<Destination> {
  const { transport, path, name: refName, position } = place;
  if (position !== undefined) throw notAsDestination(place, "a number in the list is for reading only");
  const parts = { name: nameOfPlace(place), refName, layers: options.layers ?? "compressed" } as const;
  const { LayoutDestination } = await import("./oci/layout-destination.ts");
  if (transport === "oci-archive") {
    const { sink } = await archiveSink(path, options);
    return new LayoutDestination({ ...parts, sink });
  }
  const { DirectorySink } = await import("./files/file-sink.ts");
  const at = (where: string) => ({ sink: new DirectorySink(resolve(where)) });
  const { sharedBlobs } = options;
  const shared = sharedBlobs === undefined ? undefined : { ...at(sharedBlobs), files: await directory(sharedBlobs) };
  return new LayoutDestination({ ...parts, ...at(path), files: await directory(path), shared });
}

async function archiveSink(path: string, { scratch }: PlaceOptions) {
  const [{ ArchiveSink }, { fileOutput }] = await Promise.all([
    import("./files/archive-sink.ts"),
    import("./files/output.ts"),
  ]);
  const output = await fileOutputAt(fileOutput, path);
  return { sink: new ArchiveSink(output, scratch) };
}

/** `-` is standard output. */
async function fileOutputAt(fileOutput: (path: string) => import("./files/output.ts").Output, path: string) {
  if (path !== "-") return fileOutput(resolve(path));
  return (await import("./files/output.ts")).descriptorOutput(1, "standard output");
}

async function archiveDestination(
  place: Extract<PlaceName, { readonly transport: "docker-archive" }>,
  options: PlaceOptions,
): Promise<Destination> {
  if (place.position !== undefined) throw notAsDestination(place, "a number in the list is for reading only");
  const [{ ArchiveWriter }, { fileOutput, refuseExisting }] = await Promise.all([
    import("./docker-archive/archive-writer.ts"),
    import("./files/output.ts"),
  ]);
  refuseExisting(place.path);
  const output = await fileOutputAt(fileOutput, place.path);
  const tags = [...(place.tag === undefined ? [] : [place.tag]), ...(options.additionalTags ?? [])];
  return new ArchiveWriter(nameOfPlace(place), output, options.scratch).image(tags, true);
}

/** A place as people write it. */
export function nameOfPlace(place: PlaceName): string {
  switch (place.transport) {
    case "docker":
      return `docker://${familiarName(place.reference)}`;
    case "oci":
    case "oci-archive":
      return suffixed(`${place.transport}:${place.path}`, place.name, place.position);
    case "docker-archive":
      return suffixed(`docker-archive:${place.path}`, place.tag, place.position);
    case "dir":
    case "sif":
      return `${place.transport}:${place.path}`;
    case "docker-daemon":
      return `docker-daemon:${"id" in place ? place.id : familiarName(place.reference)}`;
    case "containers-storage":
      return `containers-storage:${place.name}`;
  }
}

function suffixed(start: string, name: string | undefined, position: number | undefined): string {
  if (position !== undefined) return `${start}:@${position}`;
  return name === undefined ? start : `${start}:${name}`;
}
