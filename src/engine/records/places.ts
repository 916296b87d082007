import type { StorePaths } from "../../state/paths.ts";

/** Where a container's files are. Nothing is made here. */
export interface ContainerPlaces {
  readonly directory: string;
  /** What the directory is renamed to when it is about to be deleted, so that it goes at once for everybody. */
  readonly gone: string;
  readonly upper: string;
  readonly work: string;
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
  /** The /dev/shm of a container whose IPC others may join; in memory, as the runroot is. */
  readonly shm: string;
  readonly recipe: string;
  readonly timings: string;
  readonly status: string;
  readonly log: string;
  readonly socket: string;
}

/** The paths of the container with this ID. The socket's is kept short: an address holds 107 bytes. */
export function placesOf(paths: Pick<StorePaths, "containers" | "live">, id: string): ContainerPlaces {
  const directory = `${paths.containers}/${id}`;
  return {
    directory,
    gone: `${paths.containers}/.gone-${id}`,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    hostname: `${directory}/hostname`,
    hosts: `${directory}/hosts`,
    resolvConf: `${directory}/resolv.conf`,
    shm: `${paths.live}/${id}.shm`,
    recipe: `${directory}/recipe`,
    timings: `${directory}/timings`,
    status: `${directory}/status`,
    log: `${directory}/${id}-json.log`,
    socket: `${paths.live}/${id}`,
  };
}

/** Where roots are put together: one empty directory for all, since each root is attached in its container's mount namespace alone. */
export function mountPointOf({ runroot }: Pick<StorePaths, "runroot">): string {
  return `${runroot}/root`;
}
