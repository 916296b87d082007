import { isSkopeo, shownName } from "./called-as.ts";
import type { AnyCommand } from "./command.ts";
import { type CommandEntry, commands, groups } from "./command-table.ts";
import { lookUp } from "./find-command.ts";
import { describeFlags } from "./flags/help.ts";
import { globalFlags } from "./globals.ts";
import { UsageError } from "./usage-error.ts";

const NARROW = 80;

/** Help for everything (no words), for a group, or for a command. Throws UsageError where there is no such topic. */
export async function helpText(path: readonly string[], terminal: boolean): Promise<string> {
  const width = helpWidth(terminal) - 1;
  const [first] = path;
  if (first === undefined) return isSkopeo() ? skopeoHelp() : rootHelp(width);
  if (path.length === 1 && Object.hasOwn(groups, first)) return groupHelp(first);
  const name = path.join(" ");
  const entry = lookUp(name);
  if (entry === undefined) throw new UsageError(`unknown help topic: ${name}`, 1, true);
  return commandHelp(name, entry, (await entry.load()).command, width);
}

function helpWidth(terminal: boolean): number {
  return terminal ? (process.stdout.columns ?? NARROW) : NARROW;
}

function commandHelp(name: string, entry: CommandEntry, command: AnyCommand, width: number): string {
  const aliases = fullNames(name, entry);
  const flags = describeFlags(command.flags, width);
  const parts = [
    `Usage:  ${shownName()} ${name} ${command.usage}`.trimEnd(),
    command.summary,
    ...(aliases.length > 1 && !isSkopeo()
      ? [`Aliases:\n  ${aliases.map((alias) => `galley ${alias}`).join(", ")}`]
      : []),
    ...(flags === "" ? [] : [`Options:\n${flags}`]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function fullNames(name: string, entry: CommandEntry): readonly string[] {
  const own = Object.keys(commands).find((key) => commands[key] === entry) ?? name;
  return [...entry.aliases, own];
}

function groupHelp(group: string): string {
  const rows = groupRows(group);
  return [
    `Usage:  galley ${group} COMMAND`,
    groups[group] ?? "",
    `Commands:\n${rows}`,
    `Run 'galley ${group} COMMAND --help' for more information on a command.\n`,
  ].join("\n\n");
}

function groupRows(group: string): string {
  const rows: (readonly [string, string])[] = [];
  for (const [name, entry] of Object.entries(commands)) {
    const inGroup = [name, ...entry.aliases].find((full) => full.startsWith(`${group} `));
    if (inGroup !== undefined) rows.push([inGroup.slice(group.length + 1), entry.summary]);
  }
  return table(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function rootHelp(width: number): string {
  return [
    "Usage:  galley [OPTIONS] COMMAND",
    "A complete container stack: images, containers, networks, in one program without a daemon",
    `Common Commands:\n${table(rowsOf("common"))}`,
    `Management Commands:\n${table(Object.entries(groups))}`,
    `Commands:\n${table(rowsOf("command"))}`,
    `Global Options:\n${describeFlags(globalFlags, width)}`,
    "Run 'galley COMMAND --help' for more information on a command.\n",
  ].join("\n\n");
}

/** What there is under the name of skopeo. */
async function skopeoHelp(): Promise<string> {
  const { skopeoCommands } = await import("./skopeo.ts");
  const rows = skopeoCommands.map((name) => [name, lookUp(name)?.summary ?? ""] as const);
  return [
    "Usage:  skopeo [OPTIONS] COMMAND",
    "Various operations with container images and container image registries",
    `Commands:\n${table(rows)}`,
    "Run 'skopeo COMMAND --help' for more information on a command.\n",
  ].join("\n\n");
}

function rowsOf(section: CommandEntry["section"]): (readonly [string, string])[] {
  return Object.entries(commands)
    .filter(([name, entry]) => entry.section === section && !name.includes(" "))
    .map(([name, entry]) => [name, entry.summary]);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(11, ...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}`).join("\n");
}
