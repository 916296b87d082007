import type { MountedImage } from "../../engine/image-files/image-files.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { alignTabs } from "../format/tabwriter.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [IMAGE...]",
  summary: "Mount images for reading and print where, or list those that are mounted",
  flags: {
    all: bool({ short: "a", usage: "Mount all images" }),
    format: string({ usage: "Print the mounted images in specified format (json)" }),
  },
  args: {},
  failureStatus: 125,
  async run({ cli, flags, args }) {
    if (flags.all && args.length > 0)
      throw new UsageError("when using the --all switch, you may not pass any image names or IDs", 125, true);
    if (flags.format !== "" && flags.format !== "json")
      throw new UsageError(`unknown --format argument: ${JSON.stringify(flags.format)}`, 125, true);
    const engine = await cli.engine();
    const files = await engine.imageFiles();
    const names = flags.all ? engine.images.list().map(({ id }) => id) : args;
    const points: string[] = [];
    for (const name of names) points.push(await files.mount(name));
    const mounted = files.mounted();
    const shown = names.length === 0 ? mounted : mounted.filter(({ mountPoint }) => points.includes(mountPoint));
    if (flags.format === "json") cli.out(`${JSON.stringify(shown.map(document), null, 1)}\n`);
    else if (names.length === 1 && !flags.all) cli.out(`${points.join("")}\n`);
    else cli.out(alignTabs(shown.map(line).join("")));
    return 0;
  },
});

function line({ image, mountPoint }: MountedImage): string {
  return `${image.names[0] ?? hex(image.id)}\t${mountPoint}\n`;
}

function document({ image, mountPoint }: MountedImage) {
  return { id: hex(image.id), Names: image.digests, Repositories: image.names, mountpoint: mountPoint };
}

function hex(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}
