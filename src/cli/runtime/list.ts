import { existsSync, readFileSync, statSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { parsePasswd } from "../../linux/users.ts";
import type { Home } from "../../runtime/oci/home.ts";
import { allHomes, type State, stateOf } from "../../runtime/oci/state.ts";
import { bool, string } from "../flags/kinds.ts";
import { alignTabs } from "../format/tabwriter.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "[command options]",
  summary: "List containers started by the runtime with the given root",
  flags: {
    format: string({ short: "f", usage: "Select one of: table or json", initial: "table" }, (format) => {
      if (format !== "table" && format !== "json") throw new Error("invalid format option");
    }),
    quiet: bool({ short: "q", usage: "Display only container IDs" }),
  },
  args: { least: 0, most: 0 },
  async run({ cli, globals, root, flags }) {
    if (globals.root !== "" && !existsSync(root)) {
      throw new GalleyError("not_found", "no such directory", { op: "list", subject: root });
    }
    const states = allHomes(root).map((home) => ({ ...stateOf(home), owner: ownerOf(home) }));
    if (flags.quiet) cli.out(states.map(({ id }) => `${id}\n`).join(""));
    else if (flags.format === "json") cli.out(states.length === 0 ? "null\n" : `${JSON.stringify(states)}\n`);
    else cli.out(table(states));
    return 0;
  },
});

/** The user whose the container's files are; `#1000` of one without a name. */
function ownerOf({ directory }: Home): string {
  const { uid } = statSync(directory);
  return parsePasswd(readFileSync("/etc/passwd", "utf8")).find((entry) => entry.uid === uid)?.name ?? `#${uid}`;
}

function table(states: readonly State[]): string {
  const rows = states.map((one) => [one.id, one.pid, one.status, one.bundle, one.created, one.owner]);
  const lines = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], ...rows].map(
    (cells) => `${cells.join("\t")}\n`,
  );
  return alignTabs(lines.join(""), { least: 12, padding: 3 });
}
