import { commands, groups } from "../command-table.ts";
import { namesIn } from "../find-command.ts";
import type { FlagSet } from "../flags/flag.ts";
import { globalFlags } from "../globals.ts";

/** What an argument names. */
export type ArgumentKind = "container" | "image" | "volume" | "";

/** A place in the command line: after `galley`, a group or a command. */
export interface CompletionPlace {
  /** Words after `galley`; empty for the program itself. */
  readonly path: string;
  /** Commands that may follow. */
  readonly words: readonly string[];
  readonly flags: readonly string[];
  /** Those of the flags that take a value. */
  readonly valued: readonly string[];
  readonly argument: ArgumentKind;
}

/** Every place of the command line with what can be said there. Loads all commands. */
export async function collectWords(): Promise<readonly CompletionPlace[]> {
  const top = { path: "", words: [...namesIn(undefined)].sort(), ...flagWords(globalFlags), argument: "" as const };
  const inGroups = Object.keys(groups).map((group) => ({
    path: group,
    words: [...namesIn(group)].sort(),
    flags: ["--help"],
    valued: [],
    argument: "" as const,
  }));
  const loaded = await Promise.all(
    Object.entries(commands).map(([name, entry]) => placesOf([name, ...entry.aliases], entry)),
  );
  return [top, ...inGroups, ...loaded.flat()];
}

async function placesOf(
  paths: readonly string[],
  entry: (typeof commands)[string],
): Promise<readonly CompletionPlace[]> {
  const { command } = await entry.load();
  const flags = flagWords(command.flags);
  const argument = argumentKind(command.usage);
  return paths.map((path) => ({ path, words: [], ...flags, flags: [...flags.flags, "--help"], argument }));
}

function flagWords(flags: FlagSet): { readonly flags: readonly string[]; readonly valued: readonly string[] } {
  const shown = Object.entries(flags).filter(([, flag]) => flag.hidden !== true);
  const names = ([name, flag]: (typeof shown)[number]) => [`--${name}`, ...(flag.short ? [`-${flag.short}`] : [])];
  return { flags: shown.flatMap(names), valued: shown.filter(([, flag]) => flag.bare === undefined).flatMap(names) };
}

function argumentKind(usage: string): ArgumentKind {
  const kind = /CONTAINER|IMAGE|VOLUME|NAME/.exec(usage)?.[0];
  if (kind === "NAME") return "container";
  return kind === undefined ? "" : (kind.toLowerCase() as ArgumentKind);
}
