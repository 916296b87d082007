import { toGalleyError } from "../../errors.ts";
import type { RemovedItem, RemoveOptions } from "../../image/types.ts";
import type { CliEngine } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { describeRemoved } from "../rows/removed.ts";

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
    const engine = await cli.engine();
    const options = { force: flags.force, ...(flags.platform === "" ? {} : { platform: flags.platform }) };
    let status = 0;
    // One after the other: what the second may remove depends on what the first left.
    for (const reference of args) {
      try {
        for (const item of await removed(engine, reference, options)) cli.out(`${describeRemoved(item)}\n`);
      } catch (failure) {
        reportOne(cli, failure);
        if (!flags.force || toGalleyError(failure).code !== "not_found") status = 1;
      }
    }
    return status;
  },
});

/** What names no image may name a list of images, as podman has it; the images that the list tells of stay. */
async function removed(
  { images, manifestLists }: CliEngine,
  reference: string,
  options: RemoveOptions,
): Promise<readonly RemovedItem[]> {
  try {
    return await images.remove(reference, options);
  } catch (failure) {
    const lists = toGalleyError(failure).code === "not_found" ? await manifestLists() : undefined;
    if (lists?.find(reference) === undefined) throw failure;
    return lists.remove(reference);
  }
}
