import { defineCommand } from "../command.ts";
import { forEach } from "../shared/each.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Block until one or more containers stop, then print their exit codes",
  flags: {},
  args: { least: 1 },
  async run({ cli, args }) {
    const { containers } = await cli.engine();
    return forEach(cli, args, async (name) => String(await containers.wait(name)));
  },
});
