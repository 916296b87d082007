import { processesOf } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { storedState } from "../../runtime/oci/state.ts";
import { string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id> [ps options]",
  summary: "Display the processes running inside a container",
  flags: {
    format: string({ short: "f", usage: "Select one of: table or json", initial: "table" }, (format) => {
      if (format !== "table" && format !== "json") throw new Error("invalid format option");
    }),
  },
  args: { least: 1 },
  interspersed: false,
  async run({ cli, root, flags, args: [id = "", ...options] }) {
    const home = homeOf(root, id);
    storedState(home);
    const pids = processesOf(home);
    if (flags.format === "json") cli.out(`${JSON.stringify(pids.length === 0 ? null : pids)}\n`);
    else cli.out(table(pids, options.length === 0 ? ["-ef"] : options));
    return 0;
  },
});

/** The lines of the host's ps whose PID is one of these. */
function table(pids: readonly number[], options: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["ps", ...options]);
  if (exitCode !== 0) throw new UsageError(`ps: ${stderr.toString().trim()}`, 1, true);
  const [head = "", ...lines] = stdout.toString().split("\n").filter(Boolean);
  const column = head.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw new UsageError("couldn't find PID field in ps output", 1, true);
  const ours = lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])));
  return [head, ...ours].map((line) => `${line}\n`).join("");
}
