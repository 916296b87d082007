import { toGalleyError } from "../../errors.ts";
import type { RemovedItem } from "../../image/types.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove one or more images",
  flags: {
    force: bool({ short: "f", usage: "Force removal of the image" }),
    "no-prune": bool({ usage: "Do not delete untagged parents (there are none here)" }),
    platform: string({ usage: "Remove only the given platform variant (os[/arch[/variant]])" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const { images } = await cli.engine();
    const options = { force: flags.force, ...(flags.platform === "" ? {} : { platform: flags.platform }) };
    let status = 0;
    // One after the other: what the second may remove depends on what the first left.
    for (const reference of args) {
      try {
        for (const item of await images.remove(reference, options)) cli.out(`${describeRemoved(item)}\n`);
      } catch (failure) {
        reportOne(cli, failure);
        if (!flags.force || toGalleyError(failure).code !== "not_found") status = 1;
      }
    }
    return status;
  },
});

/** docker's words for something that was removed. */
export function describeRemoved(item: RemovedItem): string {
  return "deleted" in item ? `Deleted: ${item.deleted}` : `Untagged: ${item.untagged}`;
}
