/** The shapes of a cgroup plan: data that another tier turns into steps of a recipe. Paths are absolute. */

/** One thing to do, in order. `mkdir` makes missing parents too and accepts an existing directory. */
export type CgroupStep =
  | { readonly kind: "mkdir"; readonly path: string; readonly cause: string }
  | ({ readonly kind: "write" } & CgroupWrite);

/** A write of `value` to the existing file `path`, without O_CREAT and in one write(2). */
export interface CgroupWrite {
  readonly path: string;
  readonly value: string;
  /** The configuration field, as `linux.resources.memory.limit`, or the purpose in words. */
  readonly cause: string;
  /** Error numbers that count as success. */
  readonly tolerate?: readonly number[];
}

/** A write in a cgroup that is yet to be located. */
export interface FileWrite {
  readonly file: string;
  readonly value: string;
  readonly cause: string;
  readonly tolerate?: readonly number[];
}

/** How to stop and continue all processes of a cgroup: write, then read `await.path` until it has the text. */
export interface Freezer {
  readonly freeze: CgroupWrite;
  readonly frozen: { readonly path: string; readonly text: string };
  readonly thaw: CgroupWrite;
  readonly thawed: { readonly path: string; readonly text: string };
}

/**
 * Where OOM kills show. v2: `memory.events` changes (poll, inotify) and has the line `oom_kill N`. v1: an eventfd registered with
 * memory.oom_control of the directory, and the line `oom_kill N` in that file.
 */
export type OomSource =
  | { readonly version: 1; readonly directory: string; readonly counter: string }
  | { readonly version: 2; readonly counter: string };

/** An eBPF program for the cgroup's directory (BPF_CGROUP_DEVICE). */
export interface DeviceFilter {
  readonly directory: string;
  readonly instructions: Uint8Array;
  readonly cause: string;
}

/** How a process gets into a cgroup. */
export interface CgroupJoin {
  /** The v2 directory for clone3's CLONE_INTO_CGROUP: it spares the first process a move, which waits for an RCU grace period. */
  readonly cloneInto?: string;
  /** Why that directory is opened; `linux.cgroupsPath` where nothing else is said. */
  readonly cause?: string;
  /** The v1 directories, in each of which the process comes after the clone. */
  readonly attach: readonly CgroupAttachment[];
}

/**
 * Two ways into a v1 cgroup. The process itself, while it has one thread, writes `0` to `tasks`: that takes no lock (since Linux
 * 5.5). Another one writes the process's pid to `procs`: that may wait for an RCU grace period, 10 to 30 ms.
 */
export interface CgroupAttachment {
  readonly tasks: string;
  readonly procs: string;
  readonly cause: string;
}

export interface CgroupPlan extends CgroupJoin {
  /** Before the first process: directories and every limit. */
  readonly prepare: readonly CgroupStep[];
  /** After `prepare`, before the first process. */
  readonly deviceFilter?: DeviceFilter;
  /** The container's own directory in each hierarchy, in the order of their removal; parents are shared and stay. */
  readonly directories: readonly string[];
  /** The directory whose cgroup.procs, with those below it, names all processes; absent where there are no cgroups. */
  readonly members?: string;
  /** The own directory of each controller, for statistics: v1 names where a v1 hierarchy has it (`blkio`), else v2's (`io`). */
  readonly controllers: Readonly<Record<string, string>>;
  readonly freezer?: Freezer;
  /** cgroup.kill: writing `1` kills everything in the cgroup at once. v2 and hybrid, Linux 5.14. */
  readonly kill?: string;
  readonly oom?: OomSource;
}
