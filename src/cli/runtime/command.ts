import type { RuntimeLog } from "../../runtime/oci/log.ts";
import type { Cli } from "../cli.ts";
import type { FlagSet, FlagValues } from "../flags/flag.ts";
import type { RuntimeGlobals } from "./globals.ts";

/** What a command of the runtime is called with. */
export interface RuntimeInvocation<F extends FlagSet = FlagSet> {
  readonly cli: Cli;
  readonly globals: RuntimeGlobals;
  readonly log: RuntimeLog;
  /** The directory of state. */
  readonly root: string;
  /** Path of the native program, made where it is not there yet. */
  native(): string;
  readonly flags: FlagValues<F>;
  readonly args: readonly string[];
  readonly changed: ReadonlySet<string>;
}

/** A command of the OCI runtime, with runc's arguments. */
export interface RuntimeCommand<F extends FlagSet = FlagSet> {
  readonly usage: string;
  readonly summary: string;
  readonly flags: F;
  readonly args: { readonly least: number; readonly most?: number };
  /** False where the first argument after the container's ID begins another program's command line. */
  readonly interspersed?: boolean;
  /** Exit status of its failures; 1 where nothing is said. */
  readonly failureStatus?: number;
  /** Resolves with the exit status. */
  run(invocation: RuntimeInvocation<F>): Promise<number>;
}

/** Declares a command; `run` sees the values of exactly its flags. */
export function defineRuntimeCommand<F extends FlagSet>(command: RuntimeCommand<F>): RuntimeCommand {
  // The table has commands of all flags: their types are known to each one's own `run` alone, which gets what its flags parse to.
  return command as unknown as RuntimeCommand;
}
