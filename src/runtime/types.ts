/** What the runtime compiles: an OCI configuration and what the caller decided around it. */
import type { CgroupJoin } from "../linux/cgroups/types.ts";
import type { ResctrlGroup, ResctrlPlace } from "../linux/resctrl/group.ts";
import type { ShimSettings, Step } from "../recipe/recipe.ts";
import type { ProcessConfig, RuntimeConfig } from "../spec/runtime.ts";
import type { HostIds } from "./id-maps.ts";

/** Where the container's root file system comes from. Overlay directories: `lower` topmost first. */
export type RootSource =
  | {
      readonly kind: "overlay";
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** For a root that goes with its container: its changes are lost with the machine's power, and no disk is waited for at its end. */
      readonly volatile?: boolean;
    }
  | { readonly kind: "directory"; readonly path: string };

/** Steps that another tier adds to the start, in the actor's turn named. See network's attachment. */
export interface ExtraSteps {
  /** After the clone, before the outside waits for the inside. */
  readonly outside: readonly Step[];
  /** After the outside ones have run, in the container's namespaces, before its root is entered. */
  readonly inside: readonly Step[];
  /** Undo of the outside ones. */
  readonly cleanup: readonly Step[];
}

/** Everything of the shim but the streams, which the compiler decides. */
export type ShimPart = Omit<ShimSettings, "stdio" | "openStdin" | "oom">;

/** Where a terminal's master goes: to a socket by its path, or to the descriptor that the native program is given. */
export type ConsoleTarget = { readonly kind: "socket"; readonly path: string } | { readonly kind: "passed" };

/**
 * A process that some other program adopts and looks after, as an OCI runtime's manager does: its standard streams are those of
 * the caller, or a terminal that is handed over, and no shim stays.
 */
export interface Managed {
  /** Takes `PID STARTTIME` of the process, as soon as there is one. */
  readonly identity?: string;
  /** Needed with a terminal. */
  readonly console?: ConsoleTarget;
  /** A socket that takes a pidfd of the process. */
  readonly pidfdSocket?: string;
  /** The process stays in the session keyring of the caller. */
  readonly keepKeyring?: boolean;
  /** Its maker has no privileges: of the host's IDs he maps his own, and then the process cannot change its groups (user_namespaces(7)). */
  readonly unprivileged?: boolean;
  /** The maker's own IDs, where he has no privileges: another's are mapped by newuidmap(1). Absent: nobody else's are mapped. */
  readonly maker?: HostIds | undefined;
  /** Its maker is the root of a user namespace, and may make no device and filter none (user_namespaces(7)). */
  readonly isNested?: boolean;
  /** Descriptors 3 to 2 + this number are the process's. */
  readonly preserved?: number;
}

/** What only a container's first process knows. */
export interface ManagedStart extends Managed {
  /** An existing fifo: the process waits at it, all but executed, and the recipe ends. */
  readonly gate?: string;
  /**
   * For hooks of the caller's, before the root is entered: once the root is mounted and the process is in its cgroup the recipe makes
   * `ready`, and waits until `done` holds {@link managed.ts hooksDone}.
   */
  readonly hooks?: { readonly ready: string; readonly done: string };
  /** The native program was put into the container's cgroup, where who makes the container may not put a process himself. */
  readonly isInCgroup?: boolean;
  /** The root is moved over `/`, for a root file system that pivot_root(2) refuses. */
  readonly noPivot?: boolean;
}

/** What others know a container by. `bundle`: the directory that it was made from. */
export interface Self {
  readonly id: string;
  readonly bundle: string;
}

export interface StartInput {
  readonly config: RuntimeConfig;
  /** For who is told of it: hooks, and a seccomp agent. */
  readonly self?: Self;
  readonly root: RootSource;
  /**
   * An existing directory; the root is attached to it in the container's mount namespace alone. Where it is the root's own directory,
   * the source of a bind may lie in the root, and shows what was mounted there before.
   */
  readonly mountPoint: string;
  readonly extra?: ExtraSteps;
  /** A small init stands before the container's command and reaps for it. */
  readonly init?: boolean;
  readonly openStdin: boolean;
  /** Absent where the container is managed. */
  readonly shim?: ShimPart;
  readonly managed?: ManagedStart;
  /** Needed with `linux.intelRdt`. */
  readonly resctrl?: ResctrlGroup | undefined;
  /** A directory, made where missing, in which compiled seccomp programs are kept from one container to the next. */
  readonly filterCache?: string;
  /** Steps for the shim's definite end, such as deleting the directories of a `--rm` container. */
  readonly remove?: readonly Step[];
}

/** A process to add to a running container. */
export interface ExecInput {
  readonly process: ProcessConfig;
  /** The container's own configuration: its namespaces, cgroup and seccomp hold for the process too. */
  readonly config: RuntimeConfig;
  readonly init: { readonly pid: number; readonly startTime: number };
  readonly self?: Self;
  readonly openStdin: boolean;
  readonly shim?: ShimPart;
  readonly managed?: Managed;
  /** Cgroups below the container's own that the process joins, by their directories; absent: the container's own. */
  readonly cgroup?: CgroupJoin;
  /** The container's groups of resctrl. */
  readonly resctrl?: ResctrlPlace | undefined;
  /** As in {@link StartInput}. */
  readonly filterCache?: string;
}
