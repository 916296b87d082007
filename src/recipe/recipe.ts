/**
 * The recipe: what a bundle is compiled to. A recipe is a value: flat lists of steps for two actors and a few occasions,
 * which the native program executes and nothing else interprets. See docs/recipes.md for the language and its encoding.
 */
import type { Fixup, OpName, ops, sectionNames } from "./ops.ts";

type ParamKind<Param extends string> = Param extends `${string}:${infer Kind}:${string}`
  ? Kind
  : Param extends `${string}:${infer Kind}`
    ? Kind
    : never;

interface ArgTypes {
  u64: number | bigint;
  str: string;
  data: Uint8Array;
  ptr: Uint8Array;
  fd: string;
  slot: string;
  fixup: Fixup;
}

type ArgsOf<Params extends readonly string[]> = {
  [Index in keyof Params]: ParamKind<Params[Index]> extends keyof ArgTypes ? ArgTypes[ParamKind<Params[Index]>] : never;
};

export type OpArgs<Name extends OpName> = ArgsOf<(typeof ops)[Name]["params"]>;
export type Arg = ArgTypes[keyof ArgTypes];

/** One step. `out` names the slot that takes the resulting descriptor. */
export interface Step {
  readonly op: OpName;
  readonly args: readonly Arg[];
  readonly out?: string;
  /** Error numbers that count as success; at most four. */
  readonly tolerate?: readonly number[];
  /** The configuration field, flag or purpose behind the step, as a user knows it: `mounts[3] (tmpfs on /dev/shm)`. */
  readonly cause: string;
}

export interface StepOptions {
  readonly cause: string;
  readonly out?: string;
  readonly tolerate?: readonly number[];
}

/** Makes one step; its arguments are checked against the operation's parameters by the compiler. */
export function step<Name extends OpName>(op: Name, args: OpArgs<Name>, options: StepOptions): Step {
  return { op, args: args as readonly Arg[], ...options };
}

export type SectionName = (typeof sectionNames)[number];

/** What the native program does after the start: nothing more (undefined in {@link Recipe}), or stay as the container's shim. */
export interface ShimSettings {
  /** Slots of the outside actor. With `tty` the terminal's master serves for all three. */
  readonly stdio: {
    readonly stdin?: string;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly tty?: string;
  };
  /** Keep standard input open while nobody is attached. */
  readonly openStdin: boolean;
  /** Close standard input when the first attached client that sent to it goes. */
  readonly stdinOnce: boolean;
  /** Absolute paths. The socket's directory must exist, mode 0700. */
  readonly socketPath: string;
  readonly statusPath: string;
  readonly timingsPath: string;
  /** json-file log; absent: no log is kept. `maxSize` in bytes (0: unlimited), `maxFiles` counts the current one. */
  readonly log?: { readonly path: string; readonly maxSize: number; readonly maxFiles: number };
  readonly restart: { readonly policy: "no" | "on-failure" | "always"; readonly maxRetries: number };
  /** Slot of an eventfd that counts OOM kills (cgroup v1), or the path of a v2 memory.events. */
  readonly oom?: { readonly slot?: string; readonly path?: string };
  /** An inherited descriptor on which the starting client is already attached. */
  readonly attachFd?: number;
}

export interface Recipe {
  readonly sections: Readonly<Partial<Record<SectionName, readonly Step[]>>>;
  readonly shim?: ShimSettings;
}
