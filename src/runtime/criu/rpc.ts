/** CRIU's requests and answers: numbers of fields and values from its images/rpc.proto. */
import type { Fields } from "./protobuf.ts";

export const requestType = { dump: 1, restore: 2, preDump: 4, notify: 6, featureCheck: 9, version: 10 } as const;
export type RequestType = keyof typeof requestType;

/** `--manage-cgroups-mode`; nothing said is CRIU's own default. */
export const cgroupModes: Readonly<Record<string, number>> = { "": 6, ignore: 0, soft: 3, full: 4, strict: 5 };

/** criu_resp. */
export const answer = {
  type: 1,
  success: 2,
  restore: 4,
  notify: 5,
  errno: 7,
  features: 8,
  message: 9,
  version: 10,
} as const;

/** criu_opts, by the fields' names in camel case. */
const optionFields = {
  imagesDirFd: 1,
  pid: 2,
  leaveRunning: 3,
  extUnixSk: 4,
  tcpEstablished: 5,
  evasiveDevices: 6,
  shellJob: 7,
  fileLocks: 8,
  logLevel: 9,
  logFile: 10,
  pageServer: 11,
  notifyScripts: 12,
  root: 13,
  parentImg: 14,
  trackMem: 15,
  autoDedup: 16,
  workDirFd: 17,
  linkRemap: 18,
  extMnt: 23,
  manageCgroups: 24,
  cgRoot: 25,
  rstSibling: 26,
  inheritFd: 27,
  manageCgroupsMode: 34,
  external: 37,
  emptyNs: 38,
  joinNs: 39,
  freezeCgroup: 44,
  tcpSkipInFlight: 46,
  lazyPages: 48,
  statusFd: 49,
  orphanPtsMaster: 50,
  configFile: 51,
  lsmProfile: 53,
  lsmMountContext: 63,
} as const;

interface Pair {
  readonly key: string;
  readonly value: string;
}

/** What Galley says of criu_opts. */
export interface CriuOptions {
  readonly imagesDirFd: number;
  readonly workDirFd?: number | undefined;
  readonly pid?: number;
  readonly logLevel: number;
  readonly logFile: string;
  readonly root: string;
  readonly leaveRunning?: boolean;
  readonly extUnixSk: boolean;
  readonly tcpEstablished: boolean;
  readonly tcpSkipInFlight?: boolean;
  readonly linkRemap?: boolean;
  readonly evasiveDevices?: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly notifyScripts: boolean;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  readonly parentImg?: string;
  readonly trackMem?: boolean;
  readonly autoDedup: boolean;
  /** External mounts: on a dump a mount point and its name, on a restore the name and its source. */
  readonly extMnt: readonly Pair[];
  readonly manageCgroups: boolean;
  readonly manageCgroupsMode: number;
  /** Controllers of a hierarchy and the path to restore its cgroups below. */
  readonly cgRoot?: readonly Pair[];
  readonly rstSibling?: boolean;
  readonly inheritFd?: readonly { readonly key: string; readonly fd: number }[];
  readonly external?: readonly string[];
  readonly emptyNs: number;
  readonly joinNs?: readonly Pair[];
  readonly freezeCgroup?: string | undefined;
  readonly lazyPages: boolean;
  readonly statusFd?: number | undefined;
  readonly orphanPtsMaster: boolean;
  readonly configFile?: string | undefined;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

/** criu_opts as a message. */
export function optionsMessage(options: CriuOptions): Fields {
  const { pageServer, extMnt, cgRoot, inheritFd, joinNs, ...plain } = options;
  const pairs = (all: readonly Pair[] | undefined) => all?.map(({ key, value }) => ({ 1: key, 2: value }));
  const values = {
    ...plain,
    pageServer: pageServer === undefined ? undefined : { 1: pageServer.address, 2: pageServer.port },
    extMnt: pairs(extMnt),
    cgRoot: pairs(cgRoot),
    joinNs: pairs(joinNs),
    inheritFd: inheritFd?.map(({ key, fd }) => ({ 1: key, 2: fd })),
  };
  const named = Object.entries(optionFields) as [keyof typeof optionFields, number][];
  return Object.fromEntries(named.map(([name, field]) => [field, values[name]]));
}

/** criu_req. */
export function request(
  type: RequestType,
  parts: { readonly options?: CriuOptions; readonly features?: Fields } = {},
): Fields {
  const { options, features } = parts;
  return { 1: requestType[type], 2: options === undefined ? undefined : optionsMessage(options), 5: features };
}

/** The answer to a notification. */
export function notified(success: boolean): Fields {
  return { 1: requestType.notify, 3: success };
}
