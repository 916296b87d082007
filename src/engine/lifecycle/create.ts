import { chmodSync, mkdirSync } from "node:fs";
import { toGalleyError } from "../../errors.ts";
import type { ImageRecord } from "../../image/types.ts";
import { checkSpec, joinedNames, requestedMounts, resolveProcess } from "../bundle/bundle.ts";
import { logSettings } from "../logs/log-settings.ts";
import { findRecord } from "../records/find.ts";
import { checkedName, freeName, nameInUse, newId } from "../records/names.ts";
import type { ContainerRecord, Made } from "../records/record.ts";
import type { ContainerSpec, CreateOptions, MountRequest, ResolvedProcess } from "../types.ts";
import type { Volumes } from "../volumes/volumes.ts";
import { lowerOf } from "./layers.ts";
import { endOperation } from "./lock.ts";
import { change, type Parts, placesIn } from "./parts.ts";
import { reconcile } from "./reconcile.ts";

/** What a container is about to be. */
interface Draft {
  readonly record: ContainerRecord;
  /** Each volume has its name. */
  readonly mounts: readonly MountRequest[];
}

/**
 * Makes a container: its record, its directories and its volumes. A killed creation is undone by the next command: the record stands
 * first, with all that will be made, and the operation beside it says that it is not whole yet.
 */
export async function createContainer(
  parts: Parts,
  asked: ContainerSpec,
  options: CreateOptions = {},
): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
  await reconcile(parts);
  const { spec, warnings } = await checkSpec(asked);
  logSettings(spec);
  for (const other of Object.values(joinedNames(spec))) findRecord(parts.table, other);
  const draft = change(parts, () => begin(parts, spec, undefined)) ?? (await beginWithVolumes(parts, spec));
  const { id } = draft.record;
  try {
    makeDirectories(parts, id);
    const made = draft.mounts.length === 0 ? undefined : await provide(parts, draft);
    if (options.toStart !== true) endOperation(parts, id, () => made && parts.table.setMade(id, made));
    else if (made !== undefined) parts.table.setMade(id, made);
  } catch (failure) {
    const error = toGalleyError(failure, { op: "create container", subject: draft.record.name });
    const { deleteContainer } = await import("./delete.ts");
    await deleteContainer(parts, draft.record, { volumes: true }).catch((second) => error.cleanup.push(second));
    throw error;
  }
  return { id, warnings };
}

async function beginWithVolumes(parts: Parts, spec: ContainerSpec): Promise<Draft> {
  const volumes = await parts.volumes();
  const draft = change(parts, () => begin(parts, spec, volumes));
  if (draft === undefined) throw new Error("volumes were there");
  return draft;
}

/** In one transaction, so that neither image nor volumes can go before the record says who uses them. Undefined: volumes are needed. */
function begin(parts: Parts, spec: ContainerSpec, volumes: Volumes | undefined): Draft | undefined {
  const image = parts.images.get(spec.image, spec.platform === undefined ? {} : { platform: spec.platform });
  const requests = requestedMounts(spec, image.config.config);
  if (requests.length > 0 && volumes === undefined) return undefined;
  const mounts = volumes === undefined ? [] : requests.map((mount) => named(mount, volumes));
  const record = recordOf(
    parts,
    spec,
    image,
    mounts.map((mount) => planned(mount, volumes)),
  );
  parts.table.insert(record);
  parts.operations.begin(record.id, "create");
  return { record, mounts };
}

/** Anonymous volumes get their names now, so that whoever repairs a killed creation knows them. */
function named(mount: MountRequest, volumes: Volumes): MountRequest {
  if (mount.type !== "volume") return mount;
  return { ...mount, source: volumes.ensure(mount.source, mount.labels).name };
}

function planned({ type, source = "", target, readonly }: MountRequest, volumes: Volumes | undefined) {
  const common = { target, type, readonly: readonly === true };
  if (type !== "volume" || volumes === undefined) return { ...common, source };
  return { ...common, name: source, source: volumes.mountpoint(source) };
}

function recordOf(
  { table }: Parts,
  spec: ContainerSpec,
  image: ImageRecord,
  volumes: ResolvedProcess["volumes"],
): ContainerRecord {
  const name = spec.name === undefined ? freeName(table) : checkedName(spec.name);
  const owner = spec.name === undefined ? undefined : table.byName(name);
  if (owner !== undefined) throw nameInUse(name, owner.id);
  const whole = withImage(spec, image);
  const binds = volumes.filter(({ type }) => type !== "tmpfs");
  const resolved = { ...resolveProcess(spec, image.config.config), volumes: binds };
  return {
    id: newId(),
    name,
    imageId: image.id,
    created: new Date().toISOString(),
    made: { spec: whole, resolved, layers: image.layers },
    started: undefined,
  };
}

/** As docker keeps a container's configuration: with the image's labels and exposed ports. */
function withImage(spec: ContainerSpec, { config }: ImageRecord): ContainerSpec {
  const { Labels: labels, ExposedPorts: exposed } = config.config ?? {};
  const published = (spec.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  const ports = new Set([...Object.keys(exposed ?? {}).map(withProtocol), ...(spec.exposed ?? []), ...published]);
  return {
    ...spec,
    ...(labels ? { labels: { ...labels, ...spec.labels } } : {}),
    ...(ports.size === 0 ? {} : { exposed: [...ports] }),
  };
}

function withProtocol(port: string): string {
  return port.includes("/") ? port.toLowerCase() : `${port}/tcp`;
}

/** The upper directory's mode is that of the container's root. */
function makeDirectories(parts: Parts, id: string): void {
  const { directory, upper, work } = placesIn(parts, id);
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  mkdirSync(upper);
  chmodSync(upper, 0o755);
  mkdirSync(work, { mode: 0o700 });
}

async function provide(parts: Parts, { record, mounts }: Draft): Promise<Made> {
  const { made, imageId } = record;
  const volumes = await parts.volumes();
  const { provideMounts } = await import("../volumes/provide.ts");
  const lower = await lowerOf(parts, imageId, made.layers);
  return { ...made, resolved: { ...made.resolved, volumes: await provideMounts(mounts, volumes, lower) } };
}
