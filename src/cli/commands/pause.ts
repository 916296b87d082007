import { defineCommand } from "../command.ts";
import { forEachNamed } from "../shared/each.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Pause all processes within one or more containers",
  flags: {},
  args: { least: 1 },
  async run({ cli, args }) {
    const { containers } = await cli.engine();
    return forEachNamed(cli, args, (name) => containers.pause(name));
  },
});
