import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { inspectAll, objectLookup } from "../shared/inspect.ts";
import { documentFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Display detailed information on one or more containers",
  flags: { format: documentFormat(), size: bool({ short: "s", usage: "Display total file sizes" }) },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    return inspectAll(cli, args, flags.format, objectLookup(await cli.engine(), "container", flags.size));
  },
});
