import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "LIST",
  summary: "Check if a manifest list exists in local storage",
  flags: {},
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, args: [name = ""] }) {
    return (await (await cli.engine()).manifestLists()).find(name) === undefined ? 1 : 0;
  },
});
