import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { addFilesToList, artifactFlags, refuseWithoutArtifact } from "../places/file-artifacts.ts";
import { accessFlags, Flags } from "../places/flags.ts";
import { addToList, entryFlags } from "../places/manifest-lists.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST IMAGE|FILE [IMAGE|FILE...]",
  summary: "Add images, or an artifact of files, to a manifest list",
  flags: {
    ...accessFlags(),
    ...entryFlags(),
    ...artifactFlags(),
    all: bool({ usage: "Add all of the list's images if the image is a list" }),
  },
  args: { least: 2 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = "", ...images], changed }) {
    const flags = new Flags(values, changed);
    const lists = await (await cli.engine()).manifestLists();
    const { id } = lists.get(name);
    if (flags.truth("artifact")) {
      await addFilesToList(cli, flags, { lists, name, paths: images, changed });
      cli.out(`${id}\n`);
      return 0;
    }
    refuseWithoutArtifact(changed);
    for (const image of images) await addToList(cli, flags, { lists, name, image, all: flags.truth("all") });
    cli.out(`${id}\n`);
    return 0;
  },
});
