import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  flags: {},
  args: { least: 2, most: 2 },
  async run({ cli, args: [source = "", target = ""] }) {
    const { images } = await cli.engine();
    images.tag(source, target);
    return 0;
  },
});
