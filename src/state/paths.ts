import { join } from "node:path";

/** Where a store lives: `root` survives a reboot, `runroot` does not. Both absolute. */
export interface StorePaths {
  readonly root: string;
  readonly runroot: string;
  /** An OCI image layout. */
  readonly content: string;
  readonly layers: string;
  /** An OCI image layout of what is no image. */
  readonly artifacts: string;
  readonly containers: string;
  readonly volumes: string;
  readonly database: string;
  /** One directory per live container, with the shim's socket. */
  readonly live: string;
  /** One directory per image that is mounted for the host to look at. */
  readonly imageMounts: string;
  /** Mounts of layers that are kept with an index, one directory each. */
  readonly layerMounts: string;
}

/** The user's own store: the system's for root, else in the places of the XDG base directories. The environment's GALLEY_ROOT and GALLEY_RUNROOT move it. */
export function defaultRoots(env: Readonly<Record<string, string | undefined>>): Pick<StorePaths, "root" | "runroot"> {
  const uid = process.geteuid?.();
  const data = env.XDG_DATA_HOME || `${env.HOME ?? ""}/.local/share`;
  const live = env.XDG_RUNTIME_DIR || `/run/user/${uid}`;
  return {
    root: env.GALLEY_ROOT || (uid === 0 ? "/var/lib/galley" : `${data}/galley`),
    runroot: env.GALLEY_RUNROOT || (uid === 0 ? "/run/galley" : `${live}/galley`),
  };
}

/** The paths below the two roots; nothing is created. */
export function storePaths(root: string, runroot: string): StorePaths {
  return {
    root,
    runroot,
    content: join(root, "content"),
    layers: join(root, "layers"),
    artifacts: join(root, "artifacts"),
    containers: join(root, "containers"),
    volumes: join(root, "volumes"),
    database: join(root, "galley.db"),
    live: join(runroot, "c"),
    imageMounts: join(runroot, "images"),
    layerMounts: join(runroot, "layers"),
  };
}
