import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "IMAGE [NAME...]",
  summary: "Remove one or more names from a local image",
  flags: {},
  args: { least: 1 },
  failureStatus: 125,
  async run({ cli, args: [image = "", ...names] }) {
    const { images } = await cli.engine();
    images.untag(image, names);
    return 0;
  },
});
