import type { Cli } from "./cli.ts";
import type { FlagSet, FlagValues } from "./flags/flag.ts";

/** What a command is called with, after its flags were read. */
export interface Invocation<F extends FlagSet = FlagSet> {
  readonly cli: Cli;
  readonly flags: FlagValues<F>;
  readonly args: readonly string[];
  /** Long names of the flags that were given. */
  readonly changed: ReadonlySet<string>;
}

/** A command of the command line: what help says, what it takes, and what it does. */
export interface Command<F extends FlagSet = FlagSet> {
  /** What follows the command's name in the usage line: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: F;
  /** How many arguments are allowed; `most` absent: any number. */
  readonly args: { readonly least?: number; readonly most?: number };
  /** False where the first argument ends the flags, since what follows is another program's command line. */
  readonly interspersed?: boolean;
  /** Exit status of failures that name none: docker's 125 for run and create, else 1. */
  readonly failureStatus?: number;
  /** Resolves with the exit status. */
  run(invocation: Invocation<F>): Promise<number>;
}

/** A command whose own types are forgotten, as the table holds it. Its flags decide what it is called with. */
export type AnyCommand = Command<FlagSet>;

/** Declares a command; `run` sees the values of exactly its flags. */
export function defineCommand<F extends FlagSet>(command: Command<F>): AnyCommand {
  return command as AnyCommand;
}
