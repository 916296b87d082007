import { requireSource } from "../bundle/requested-mounts.ts";
import type { MountRequest, ResolvedProcess } from "../types.ts";
import type { Volumes } from "./volumes.ts";

type ResolvedVolumes = ResolvedProcess["volumes"];

/**
 * Makes what a container's mounts need: volumes, filled with what the image has in their place while they are empty, and the
 * directories of `-v`. The result is what the container's record keeps; mounts in memory have no part in it. When a mount cannot be
 * provided, the anonymous volumes made for the others are removed again.
 *
 * Call {@link Volumes.ensure} for each named volume once more when the container's record is written: before that, a removal in
 * another process does not see the container.
 *
 * @param lower the directories of the image's layers, topmost first
 */
export async function provideMounts(
  requests: readonly MountRequest[],
  volumes: Volumes,
  lower: readonly string[],
): Promise<ResolvedVolumes> {
  const provided: ResolvedVolumes[number][] = [];
  try {
    for (const request of requests) {
      if (request.type === "bind") provided.push(provideBind(request));
      if (request.type === "volume") provided.push(await provideVolume(request, volumes, lower, provided));
    }
    return provided;
  } catch (failure) {
    await volumes.removeAnonymous(provided.flatMap(({ name }) => name ?? []));
    throw failure;
  }
}

function provideBind({ source = "", target, readonly, createSource }: MountRequest): ResolvedVolumes[number] {
  requireSource(source, createSource === true);
  return { source, target, type: "bind", readonly: readonly === true };
}

async function provideVolume(
  request: MountRequest,
  volumes: Volumes,
  lower: readonly string[],
  provided: ResolvedVolumes[number][],
): Promise<ResolvedVolumes[number]> {
  const { source: asked, target, readonly, noCopy, labels = {} } = request;
  const volume = volumes.ensure(asked, labels);
  const result = { name: volume.name, source: volume.mountpoint, target, type: "volume", readonly: readonly === true };
  if (noCopy === true) return result;
  try {
    const { copyUp } = await import("./copy-up.ts");
    await copyUp(volumes, volume, lower, target);
  } catch (failure) {
    provided.push(result);
    throw failure;
  }
  return result;
}
