import { defineCommand } from "../command.ts";
import { inspectAll, objectLookup } from "../shared/inspect.ts";
import { documentFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Display detailed information on one or more images",
  flags: { format: documentFormat() },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    return inspectAll(cli, args, flags.format, objectLookup(await cli.engine(), "image", false));
  },
});
