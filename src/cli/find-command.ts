import { type CommandEntry, commands, groups } from "./command-table.ts";

/** What the arguments after the global options lead to. */
export type Found =
  /** `path` is how the command was called: `ps`, `container ls`. */
  | { readonly kind: "command"; readonly path: string; readonly entry: CommandEntry; readonly args: readonly string[] }
  | { readonly kind: "help"; readonly args: readonly string[] }
  /** `group` where the first word was one. */
  | { readonly kind: "unknown"; readonly word: string; readonly group?: string };

/** Finds a command by the first word, or the first two where the first is a group. */
export function findCommand(args: readonly string[]): Found {
  const [first = "", second] = args;
  if (first === "help") return { kind: "help", args: args.slice(1) };
  if (!Object.hasOwn(groups, first)) return command(first, args.slice(1)) ?? { kind: "unknown", word: first };
  if (second === undefined || second === "--help" || second === "-h") return { kind: "help", args: [first] };
  return command(`${first} ${second}`, args.slice(2)) ?? { kind: "unknown", word: second, group: first };
}

function command(path: string, args: readonly string[]): Found | undefined {
  const entry = lookUp(path);
  return entry === undefined ? undefined : { kind: "command", path, entry, args };
}

/** The entry of a full name, its own or an alias. */
export function lookUp(path: string): CommandEntry | undefined {
  if (Object.hasOwn(commands, path)) return commands[path];
  if (!path.includes(" ")) return undefined;
  return Object.values(commands).find((entry) => entry.aliases.includes(path));
}

/** The full names of everything in a group, or (undefined) of everything at the top. */
export function namesIn(group: string | undefined): readonly string[] {
  const all = Object.entries(commands).flatMap(([name, entry]) => [name, ...entry.aliases]);
  if (group === undefined) return [...all.filter((name) => !name.includes(" ")), ...Object.keys(groups), "help"];
  return all.filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1));
}
