import { GalleyError, toGalleyError } from "../../errors.ts";
import type { ImageRecord } from "../../image/types.ts";
import { hostFacts } from "../../runtime/host.ts";
import { cgroupPath } from "../bundle/config.ts";
import { hostnameOf } from "../bundle/hostname.ts";
import { findRecord, notRunning } from "../records/find.ts";
import { isGone } from "../records/gone.ts";
import type { ContainerRecord } from "../records/record.ts";
import { containerOf } from "../records/view.ts";
import type { Container, ContainerFilters, LogLine, LogOptions, TopResult } from "../types.ts";
import { lowerOf } from "./layers.ts";
import { type Parts, placesIn } from "./parts.ts";
import { waitFor } from "./wait.ts";

/** The container as it is now. */
export function getContainer(parts: Parts, container: string): Container {
  return viewOf(parts, findRecord(parts.table, container));
}

function viewOf(parts: Parts, record: ContainerRecord): Container {
  return containerOf(record, placesIn(parts, record.id), parts.operations.of(record.id));
}

/** Containers as docker's `ps` chooses them, newest first. */
export async function listContainers(parts: Parts, filters: ContainerFilters = {}): Promise<readonly Container[]> {
  const { selectContainers } = await import("../views/select.ts");
  const operations = new Map(parts.operations.all().map((operation) => [operation.container, operation]));
  const records = parts.table.all().filter((record) => !isGone(parts, record));
  const all = records.map((record) => containerOf(record, placesIn(parts, record.id), operations.get(record.id)));
  return selectContainers(all, filters, {
    find: (container) => getContainer(parts, container),
    descendants: (reference) => descendants(parts, reference),
  });
}

/** The image itself and those that begin with all of its layers. */
function descendants({ images }: Parts, reference: string): ReadonlySet<string> {
  const ancestor = images.find(reference);
  if (ancestor === undefined) return new Set();
  const isBased = ({ layers }: ImageRecord) => ancestor.layers.every((layer, index) => layers[index] === layer);
  return new Set([
    ancestor.id,
    ...images
      .list()
      .filter(isBased)
      .map(({ id }) => id),
  ]);
}

/** docker's container inspect document; with `size`, with what the container has written. */
export async function inspectContainerOf(
  parts: Parts,
  container: string,
  { size = false }: { readonly size?: boolean } = {},
): Promise<Record<string, unknown>> {
  const record = findRecord(parts.table, container);
  const { inspectContainer } = await import("../views/inspect.ts");
  const places = placesIn(parts, record.id);
  const image = imageOf(parts, record);
  const lower = await lowerOf(parts, record.imageId, record.made.layers).catch(() => []);
  return inspectContainer({
    container: viewOf(parts, record),
    ...(image?.config.config === undefined ? {} : { image: image.config.config }),
    hostname: record.started?.hostname ?? hostnameOf(record.id, record.made.spec),
    cgroups: hostFacts().cgroups.mode,
    files: places,
    root: { lower, upper: places.upper, work: places.work },
    ...(size ? { size: (await import("../views/size.ts")).containerSize(places.upper, image?.size ?? 0) } : {}),
  });
}

function imageOf({ images }: Parts, { imageId }: ContainerRecord): ImageRecord | undefined {
  try {
    return images.ofContainer(imageId);
  } catch (failure) {
    if (toGalleyError(failure).code === "not_found") return undefined;
    throw failure;
  }
}

/** The lines of a container's log, followed to its end where that is asked for. */
export async function* logsOf(parts: Parts, container: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
  const record = findRecord(parts.table, container);
  if (record.made.spec.logDriver === "none") {
    throw new GalleyError("unimplemented", "configured logging driver does not support reading", {
      subject: record.name,
      hint: "it was created with --log-driver none",
    });
  }
  const { readLogs } = await import("../logs/read-logs.ts");
  const { log } = placesIn(parts, record.id);
  if (options.follow !== true) return yield* readLogs(log, options);
  yield* readLogs(log, options, { ended: waitFor(parts, record.id, "not-running").catch(() => {}) });
}

/** The processes of a running container as ps(1) shows them. */
export async function topOfContainer(
  parts: Parts,
  container: string,
  options: readonly string[] = [],
): Promise<TopResult> {
  const record = findRecord(parts.table, container);
  const { pid } = viewOf(parts, record);
  if (pid === 0) throw notRunning(record, "top");
  const { topOf } = await import("../views/top.ts");
  return topOf({ cgroupPath: cgroupPath(record.id, record.made.spec), pid, options });
}
