import type { Flag } from "../flags/flag.ts";
import type { RuntimeCommand } from "./command.ts";

/** What the runtime says of itself. */
export function overview(names: readonly string[]): string {
  return [
    "Usage:  galley runtime [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARG...]",
    "",
    "An OCI runtime with runc's commands",
    "",
    "Commands:",
    ...names.map((name) => `  ${name}`),
    "",
    "Run 'galley runtime COMMAND --help' for more information on a command.",
    "",
  ].join("\n");
}

/** What a command of the runtime takes. */
export function helpOf(name: string, { usage, summary, flags }: RuntimeCommand): string {
  const lines = Object.entries(flags).flatMap(([flag, spec]) => (spec.hidden === true ? [] : [lineOf(flag, spec)]));
  const options = lines.length === 0 ? [] : ["", "Options:", ...lines];
  return [`Usage:  galley runtime ${name} ${usage}`, "", summary, ...options, ""].join("\n");
}

function lineOf(name: string, { short, type, usage }: Flag<unknown>): string {
  const names = `${short === undefined ? "    " : `-${short}, `}--${name}${type === "" ? "" : ` ${type}`}`;
  return `  ${names.padEnd(28)}  ${usage}`;
}
