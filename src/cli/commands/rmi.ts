import { toGalleyError } from "../../errors.ts";
import type { RemovedItem, RemoveOptions } from "../../image/types.ts";
import type { CliEngine } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { describeRemoved } from "../rows/removed.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...] | --all",
  summary: "Remove one or more images",
  flags: {
    all: bool({ short: "a", usage: "Remove all images" }),
    ignore: bool({ short: "i", usage: "Say nothing of images that are not there" }),
    force: bool({ short: "f", usage: "Force removal of the image" }),
    "no-prune": bool({ usage: "Do not delete untagged parents (there are none here)" }),
    platform: string({ usage: "Remove only the given platform variant (os[/arch[/variant]])" }),
  },
  args: {},
  async run({ cli, flags, args }) {
    if (flags.all && args.length > 0)
      throw new UsageError("when using the --all switch, you may not pass any images names or IDs", 1, true);
    if (!flags.all && args.length === 0) throw new UsageError("'galley rmi' requires at least 1 argument", 1);
    const engine = await cli.engine();
    const options = { force: flags.force, ...(flags.platform === "" ? {} : { platform: flags.platform }) };
    let status = 0;
    // One after the other: what the second may remove depends on what the first left.
    for (const reference of flags.all ? await everyName(engine) : args) {
      try {
        for (const item of await removed(engine, reference, options)) cli.out(`${describeRemoved(item)}\n`);
      } catch (failure) {
        const isAbsent = toGalleyError(failure).code === "not_found";
        if (flags.ignore && isAbsent) continue;
        reportOne(cli, failure);
        if (!flags.force || !isAbsent) status = 1;
      }
    }
    return status;
  },
});

/** Every tag of every image and list; what has none by its ID, or its digest's name, which goes with the image. */
async function everyName({ images, manifestLists }: CliEngine): Promise<readonly string[]> {
  const own = images.list().flatMap(({ id, names }) => (names.length === 0 ? [id] : names));
  return [...own, ...(await manifestLists()).all().map(({ name }) => name)];
}

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
