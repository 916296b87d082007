import { defineCommand } from "../command.ts";
import { bool, list } from "../flags/kinds.ts";
import { accessFlags, Flags } from "../places/flags.ts";
import { addToList, annotationsOf } from "../places/manifest-lists.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST [IMAGE...]",
  summary: "Create a manifest list, with images or without",
  flags: {
    ...accessFlags(),
    all: bool({ usage: "Add all of the lists' images if the images to add are lists" }),
    amend: bool({ short: "a", usage: "Go on with a list of the name if there is one" }),
    annotation: list({ usage: "Set annotations on the new list", type: "annotation" }),
  },
  args: { least: 1 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = "", ...images], changed }) {
    const flags = new Flags(values, changed);
    const lists = await (await cli.engine()).manifestLists();
    const { id } = lists.create(name, { amend: flags.truth("amend"), annotations: annotationsOf(flags) });
    const adding = new Flags({ ...values, annotation: [] }, changed);
    for (const image of images) await addToList(cli, adding, { lists, name, image, all: flags.truth("all") });
    cli.out(`${id}\n`);
    return 0;
  },
});
