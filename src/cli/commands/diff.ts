import { defineCommand } from "../command.ts";
import { changesText } from "../rows/changes.ts";

export const command = defineCommand({
  usage: "CONTAINER",
  summary: "Inspect changes to files or directories on a container's filesystem",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, args: [name = ""] }) {
    const { containers } = await cli.engine();
    cli.out(changesText(await containers.diff(name)));
    return 0;
  },
});
