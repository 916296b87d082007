/** The flags that checkpoint and restore share, and what they come to for CRIU. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { cloneFlags } from "../namespaces.ts";
import { type CriuOptions, cgroupModes } from "./rpc.ts";

export interface CriuFlags {
  /** Directory of the images. */
  readonly imagePath: string;
  /** Directory of logs; that of the images where nothing is said. */
  readonly workPath: string;
  readonly tcpEstablished: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly autoDedup: boolean;
  readonly lazyPages: boolean;
  readonly manageCgroupsMode: string;
  readonly emptyNs: readonly string[];
}

/** criu_opts of both directions, and what is open for them. */
export interface SharedOptions extends Disposable {
  readonly log: string;
  readonly options: Omit<CriuOptions, "root" | "extMnt">;
}

/** Opens the directories; what is made for a container's checkpoints is its owner's alone. */
export function sharedOptions(flags: CriuFlags, logFile: string, { annotations = {} }: RuntimeConfig): SharedOptions {
  const manageCgroupsMode = cgroupModes[flags.manageCgroupsMode];
  if (manageCgroupsMode === undefined) refuse("invalid manage-cgroups-mode value");
  const emptyNs = flags.emptyNs.reduce((mask, name) => mask | emptyNamespace(name), cloneFlags.network);
  const images = openSync(flags.imagePath, "r");
  const work = flags.workPath === "" ? undefined : openMade(flags.workPath);
  const config = annotations["org.criu.config"] ?? "/etc/criu/runc.conf";
  return {
    log: join(flags.workPath === "" ? flags.imagePath : flags.workPath, logFile),
    options: {
      imagesDirFd: images,
      workDirFd: work,
      logLevel: 4,
      logFile,
      extUnixSk: flags.extUnixSk,
      tcpEstablished: flags.tcpEstablished,
      shellJob: flags.shellJob,
      fileLocks: flags.fileLocks,
      notifyScripts: true,
      autoDedup: flags.autoDedup,
      manageCgroups: true,
      manageCgroupsMode,
      emptyNs,
      lazyPages: flags.lazyPages,
      orphanPtsMaster: true,
      configFile: config === "" ? undefined : config,
    },
    [Symbol.dispose]() {
      closeSync(images);
      if (work !== undefined) closeSync(work);
    },
  };
}

function openMade(path: string): number {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return openSync(path, "r");
}

/** No runtime manages what is in a network namespace: it is always made empty. */
function emptyNamespace(name: string): number {
  return name === "network" ? cloneFlags.network : refuse(`namespace ${JSON.stringify(name)} is not supported`);
}

function refuse(message: string): never {
  throw new GalleyError("invalid_argument", message);
}
