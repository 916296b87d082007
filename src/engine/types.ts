/**
 * What the engine takes and gives. Text formats (docker's flags, JSON of inspect) are made of these by the tiers above; the parsers
 * of textual options that more than one face takes (`-v`, `--mount`, `-p`, `--ulimit` …) are in options/.
 */
import type { Recipe } from "../recipe/recipe.ts";

export type PullPolicy = "always" | "missing" | "never";

/** A mount as the user asked for it. `size` in bytes, `mode` as a number. */
export interface MountRequest {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Host path (bind), volume name (volume; absent: anonymous). */
  readonly source?: string;
  readonly target: string;
  readonly readonly?: boolean;
  /** Make a bind's missing host directory, as `-v` does and `--mount` does not. */
  readonly createSource?: boolean;
  readonly propagation?: "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";
  /** Bind the path alone, without what is mounted below it. */
  readonly nonRecursive?: boolean;
  /** A read-only bind's submounts: all read-only (`enabled`), the top alone (`writable`). */
  readonly readonlyRecursive?: "enabled" | "writable" | "readonly";
  readonly noCopy?: boolean;
  readonly subpath?: string;
  readonly size?: number;
  readonly mode?: number;
  /** Further tmpfs options of `--tmpfs path:opts`. */
  readonly options?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** A published port; `hostPort` 0 or absent lets the engine choose one. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostAddress?: string;
  readonly hostPort?: number;
}

export interface DeviceRequest {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Of `rwm`. */
  readonly access: string;
}

/** Limits in the units of the kernel: bytes, nano-CPUs, numbers. Zero and absent both mean no limit. */
export interface ResourceRequest {
  readonly memory?: number;
  readonly memoryReservation?: number;
  /** Memory and swap together; -1 unlimited. */
  readonly memorySwap?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly nanoCpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  readonly blkioWeight?: number;
}

export interface RestartPolicy {
  readonly name: "no" | "on-failure" | "always" | "unless-stopped";
  readonly maxRetries: number;
}

/** Everything that `create` needs. Docker's defaults apply to what is absent. */
export interface ContainerSpec {
  readonly image: string;
  readonly platform?: string;
  readonly name?: string;
  readonly command?: readonly string[];
  /** Replaces the image's entry point and drops its command; empty: none. */
  readonly entrypoint?: readonly string[];
  /** `NAME=value` each; they replace the image's of the same name. */
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly groupAdd?: readonly string[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  /** Streams that whoever makes the container asks to be attached to; shown by inspect. */
  readonly attach?: readonly ("stdin" | "stdout" | "stderr")[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  /** Seconds; -1 waits for ever. */
  readonly stopTimeout?: number;
  readonly mounts?: readonly MountRequest[];
  readonly readonlyRootfs?: boolean;
  /** Network mode: bridge, none, host, container:ID. */
  readonly network?: string;
  readonly ports?: readonly PortRequest[];
  /** Also what `--expose` names: `80/tcp`. */
  readonly exposed?: readonly string[];
  readonly publishAll?: boolean;
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** `host:address`, where the address may be `host-gateway`. */
  readonly extraHosts?: readonly string[];
  readonly macAddress?: string;
  readonly address?: string;
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly devices?: readonly DeviceRequest[];
  readonly deviceCgroupRules?: readonly string[];
  readonly resources?: ResourceRequest;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly shmSize?: number;
  readonly pidMode?: string;
  readonly ipcMode?: string;
  readonly utsMode?: string;
  readonly cgroupnsMode?: "private" | "host";
  readonly cgroupParent?: string;
  readonly oomScoreAdj?: number;
  readonly autoRemove?: boolean;
  readonly restart?: RestartPolicy;
  readonly logDriver?: "json-file" | "none";
  readonly logOptions?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The image's health check is not wanted. */
  readonly noHealthcheck?: boolean;
  /** The file that was asked to hold the ID; shown by inspect, and written by whoever asked. */
  readonly cidFile?: string;
}

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** A container as it is now: the record, joined with the shim's status. Times are ISO 8601 with nanoseconds where known. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  /** Image ID (config digest) it was made from. */
  readonly imageId: string;
  /** What `inspect` shows of the merge of image and spec. */
  readonly resolved: ResolvedProcess;
  readonly created: string;
  readonly state: ContainerState;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** The shim is gone while the container's process lives: nobody will note how it ends. */
  readonly unattended: boolean;
  readonly network: NetworkFacts;
  readonly logPath: string;
}

export interface ResolvedProcess {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly stopSignal: string;
  readonly volumes: readonly {
    readonly name?: string;
    readonly source: string;
    readonly target: string;
    readonly type: string;
    readonly readonly: boolean;
  }[];
}

export interface NetworkFacts {
  readonly mode: string;
  readonly address?: string;
  readonly prefix?: number;
  readonly gateway?: string;
  readonly macAddress?: string;
  readonly ports: readonly (PortRequest & { readonly hostAddress: string; readonly hostPort: number })[];
}

/** What an attached client sees; it ends with `exit` or when the client detaches. */
export type AttachEvent =
  | { readonly kind: "output"; readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }
  | { readonly kind: "exit"; readonly code: number; readonly oomKilled: boolean };

/** A connection to a running container's (or exec session's) streams. */
export interface Attachment {
  /** Ends after `exit`, or after {@link detach}. Reading slowly slows the container. */
  readonly events: AsyncIterable<AttachEvent>;
  /** Resolves when the shim took the bytes. */
  write(data: Uint8Array): Promise<void>;
  closeStdin(): void;
  resize(rows: number, columns: number): Promise<void>;
  signal(signal: number): Promise<void>;
  detach(): void;
}

export interface CreateOptions {
  /** The caller goes on to start the container at once. Where it is killed before, the next command removes what was made. */
  readonly toStart?: boolean;
}

export interface StartOptions {
  /** Be attached before the first instruction runs, so that no output is missed. */
  readonly attach?: { readonly stdin: boolean; readonly output: boolean };
  readonly consoleSize?: { readonly rows: number; readonly columns: number };
}

export interface ExecSpec {
  readonly command: readonly string[];
  readonly tty?: boolean;
  readonly stdin?: boolean;
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly detach?: boolean;
  readonly consoleSize?: { readonly rows: number; readonly columns: number };
}

export interface ContainerFilters {
  readonly all?: boolean;
  /** docker's `--filter` pairs by key. */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
  readonly last?: number;
  readonly size?: boolean;
}

export interface LogOptions {
  readonly follow?: boolean;
  /** Unix seconds with fraction. */
  readonly since?: number;
  readonly until?: number;
  /** Number of last lines; absent: all. */
  readonly tail?: number;
}

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly data: Uint8Array;
}

export interface TopResult {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/** A file that a container has changed of its image's; the path is the container's. */
export interface FileChange {
  readonly kind: "changed" | "added" | "removed";
  readonly path: string;
}

/** What `commit` makes of a container. */
export interface CommitOptions {
  /** The name that the image gets; absent: none. */
  readonly name?: string;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile instructions on the configuration: `CMD ["x"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  /** Hold the container's processes meanwhile; they are by default. */
  readonly pause?: boolean;
}

/** What a path in a container leads to (docker's X-Docker-Container-Path-Stat). */
export interface PathStatus {
  /** The last name of the path. */
  readonly name: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  /** st_mode's lower twelve bits. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Of a symbolic link, resolved in the container's root. */
  readonly linkTarget: string;
}

/** What a start did, for `explain`. Times in nanoseconds after the recipe began; absent where a step did not run. */
export interface Explanation {
  readonly recipe: Recipe;
  readonly timings: Readonly<
    Record<"outside" | "inside", readonly ({ readonly start: number; readonly end: number } | undefined)[]>
  >;
}

/**
 * Containers, from the record to the running process. `container` arguments take a name, an ID or a unique prefix of one;
 * an unknown one is `not_found` ("No such container: X").
 */
export interface Containers {
  create(
    spec: ContainerSpec,
    options?: CreateOptions,
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  start(container: string, options?: StartOptions): Promise<Attachment | undefined>;
  /** The recipe that `create` and `start` of this specification would run; nothing is made. */
  plan(spec: ContainerSpec): Promise<Recipe>;
  explain(container: string): Promise<Explanation>;
  attach(container: string, options: { readonly stdin: boolean; readonly output: boolean }): Promise<Attachment>;
  exec(container: string, spec: ExecSpec): Promise<Attachment | undefined>;
  stop(container: string, options?: { readonly timeout?: number; readonly signal?: string }): Promise<void>;
  kill(container: string, signal?: string): Promise<void>;
  restart(container: string, options?: { readonly timeout?: number; readonly signal?: string }): Promise<void>;
  pause(container: string): Promise<void>;
  unpause(container: string): Promise<void>;
  /** Resolves with the exit code once the condition holds. */
  wait(container: string, condition?: "not-running" | "next-exit" | "removed"): Promise<number>;
  remove(container: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void>;
  rename(container: string, name: string): Promise<void>;
  list(filters?: ContainerFilters): Promise<readonly Container[]>;
  get(container: string): Promise<Container>;
  /** docker's container inspect JSON. */
  inspect(container: string, options?: { readonly size?: boolean }): Promise<Record<string, unknown>>;
  logs(container: string, options?: LogOptions): AsyncIterable<LogLine>;
  top(container: string, psArgs?: readonly string[]): Promise<TopResult>;
  /** A container's root as a tar archive, as it is read; mounts are left out. */
  export(container: string): AsyncIterable<Uint8Array>;
  /** What it has changed of its image's files, by path. */
  diff(container: string): Promise<readonly FileChange[]>;
  /** Makes an image of a container and what it has changed. Resolves with its ID. */
  commit(container: string, options?: CommitOptions): Promise<string>;
  /** What a path in the container is; no link at its end is followed. `not_found` where there is nothing. */
  stat(container: string, path: string): Promise<PathStatus>;
  /** A file or directory of the container, mounts included, as an archive in which it has the last name of its path. */
  archive(container: string, path: string): Promise<AsyncIterable<Uint8Array>>;
  /** Unpacks an archive into a directory of the container, mounts included. */
  extract(container: string, path: string, tar: AsyncIterable<Uint8Array>): Promise<void>;
}
