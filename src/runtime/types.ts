/** What the runtime compiles: an OCI configuration and what the caller decided around it. */
import type { ShimSettings, Step } from "../recipe/recipe.ts";
import type { ProcessConfig, RuntimeConfig } from "../spec/runtime.ts";

/** Where the container's root file system comes from. Overlay directories: `lower` topmost first. */
export type RootSource =
  | { readonly kind: "overlay"; readonly lower: readonly string[]; readonly upper: string; readonly work: string }
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

export interface StartInput {
  readonly config: RuntimeConfig;
  readonly root: RootSource;
  /** An existing empty directory; the root is attached to it in the container's mount namespace alone. */
  readonly mountPoint: string;
  readonly extra?: ExtraSteps;
  /** A small init stands before the container's command and reaps for it. */
  readonly init?: boolean;
  readonly openStdin: boolean;
  /** Everything of the shim but the streams, which the compiler decides. */
  readonly shim: Omit<ShimSettings, "stdio" | "openStdin" | "oom">;
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
  readonly openStdin: boolean;
  readonly shim: Omit<ShimSettings, "stdio" | "openStdin" | "oom">;
  /** As in {@link StartInput}. */
  readonly filterCache?: string;
}
