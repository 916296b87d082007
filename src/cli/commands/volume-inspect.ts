import { defineCommand } from "../command.ts";
import { inspectAll, objectLookup } from "../shared/inspect.ts";
import { documentFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Display detailed information on one or more volumes",
  flags: { format: documentFormat() },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    return inspectAll(cli, args, flags.format, objectLookup(await cli.engine(), "volume", false));
  },
});
