import { defineCommand } from "../command.ts";
import { forEachNamed } from "../shared/each.ts";
import { stopFlags, stopOptions } from "../shared/stop-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Restart one or more containers",
  flags: stopFlags,
  args: { least: 1 },
  async run({ cli, flags, args, changed }) {
    const { containers } = await cli.engine();
    return forEachNamed(cli, args, (name) => containers.restart(name, stopOptions(flags, changed)));
  },
});
