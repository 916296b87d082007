import { defineCommand } from "../command.ts";
import { forEachNamed } from "../shared/each.ts";
import { stopFlags, stopOptions } from "../shared/stop-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop one or more running containers",
  flags: stopFlags,
  args: { least: 1 },
  async run({ cli, flags, args, changed }) {
    const { containers } = await cli.engine();
    return forEachNamed(cli, args, (name) => containers.stop(name, stopOptions(flags, changed)));
  },
});
