import { GalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Unmount an image's root file system",
  flags: {
    all: bool({ short: "a", usage: "Unmount all of the currently mounted images" }),
    force: bool({ short: "f", usage: "Take away all mounts of the images, also while they are used" }),
  },
  args: {},
  failureStatus: 125,
  async run({ cli, flags, args }) {
    if (args.length === 0 && !flags.all) throw new UsageError("image name or ID must be specified", 125, true);
    if (args.length > 0 && flags.all)
      throw new UsageError("when using the --all switch, you may not pass any images names or IDs", 125, true);
    const files = await (await cli.engine()).imageFiles();
    const names = flags.all ? files.mounted().map(({ image }) => image.id) : args;
    let status = 0;
    for (const name of names) {
      try {
        const id = files.unmount(name, { force: flags.force });
        if (id === undefined)
          throw new GalleyError("failed_precondition", "image not mounted", { op: "unmount", subject: name });
        cli.out(`${id.slice(id.indexOf(":") + 1)}\n`);
      } catch (failure) {
        reportOne(cli, failure);
        status = 125;
      }
    }
    return status;
  },
});
