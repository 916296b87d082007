import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { changesText } from "../rows/changes.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE]",
  summary: "Inspect changes to an image's files: of its topmost layer, or between it and a second image",
  flags: { format: string({ usage: "Change the output format (json)" }) },
  args: { least: 1, most: 2 },
  failureStatus: 125,
  async run({ cli, flags, args: [name = "", other] }) {
    const files = await (await cli.engine()).imageFiles();
    cli.out(changesText(await files.diff(name, other), flags.format));
    return 0;
  },
});
