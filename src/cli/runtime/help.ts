/** Help in the layout of runc's, which scripts read: headings in capitals, the program's name before the command's. */
import { calledName, runtimeNames } from "../called-as.ts";
import type { Flag, FlagSet } from "../flags/flag.ts";
import { version } from "../version.ts";
import type { RuntimeCommand } from "./command.ts";
import { runtimeFlags } from "./globals.ts";
import { runtimeCommands } from "./table.ts";

/** What a user types to call the runtime. */
export function programName(): string {
  const name = calledName();
  return runtimeNames.includes(name) ? name : "galley runtime";
}

/** What the runtime says of itself. Every command is loaded for its summary. */
export async function overview(): Promise<string> {
  const program = programName();
  const loaded = await Promise.all(
    Object.entries(runtimeCommands).map(async ([name, load]) => [name, (await load()).command.summary] as const),
  );
  return sections({
    NAME: `${program} - Open Container Initiative runtime`,
    USAGE: `${program} [global options] command [command options] [arguments...]`,
    VERSION: version,
    COMMANDS: columns([...loaded, ["help", "Show this, or what a command takes"]]),
    "GLOBAL OPTIONS": columns([
      ...options(runtimeFlags),
      ["--help, -h", "Show help"],
      ["--version, -v", "Print the version"],
    ]),
  });
}

/** What a command of the runtime takes. */
export function helpOf(name: string, { usage, summary, flags }: RuntimeCommand): string {
  const program = `${programName()} ${name}`;
  return sections({
    NAME: `${program} - ${summary}`,
    USAGE: `${program} ${usage}`.trimEnd(),
    OPTIONS: columns([...options(flags), ["--help, -h", "Show help"]]),
  });
}

function sections(texts: Readonly<Record<string, string>>): string {
  return Object.entries(texts)
    .map(([heading, text]) => `${heading}:\n${text.replaceAll(/^/gm, "   ")}\n`)
    .join("\n");
}

function options(flags: FlagSet): (readonly [string, string])[] {
  return Object.entries(flags).flatMap(([name, flag]) => (flag.hidden === true ? [] : [option(name, flag)]));
}

function option(name: string, { short, type, usage, shownDefault }: Flag<unknown>): readonly [string, string] {
  const value = type === "" ? "" : " value";
  const names = [`--${name}${value}`, ...(short === undefined ? [] : [`-${short}${value}`])].join(", ");
  return [names, shownDefault === undefined ? usage : `${usage} (default: ${shownDefault})`];
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`).join("\n");
}
