import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "IMAGE",
  summary: "Check if an image exists in local storage",
  flags: {},
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, args: [name = ""] }) {
    const { images, manifestLists } = await cli.engine();
    return images.find(name) === undefined && (await manifestLists()).find(name) === undefined ? 1 : 0;
  },
});
