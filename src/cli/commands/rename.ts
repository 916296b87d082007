import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  flags: {},
  args: { least: 2, most: 2 },
  async run({ cli, args: [name = "", fresh = ""] }) {
    const { containers } = await cli.engine();
    await containers.rename(name, fresh);
    return 0;
  },
});
