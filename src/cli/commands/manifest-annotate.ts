import { tryParseDigest } from "../../image/digest.ts";
import { withChange } from "../../image/lists/manifest-list.ts";
import { defineCommand } from "../command.ts";
import { bool, list, string } from "../flags/kinds.ts";
import { Flags } from "../places/flags.ts";
import { entryChange, entryFlags, placeOfImage, subjectOf } from "../places/manifest-lists.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST IMAGE",
  summary: "Say something else of an image of a manifest list, or of the list",
  flags: {
    ...entryFlags(),
    index: bool({ usage: "Apply --annotation to the list itself" }),
    subject: string({ usage: "Set the image or artifact that the list is about; with --index", type: "subject" }),
    "os-features": list({ usage: "Override the OS features of the image", type: "features" }),
  },
  args: { least: 1, most: 2 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = "", image], changed }) {
    const flags = new Flags(values, changed);
    const engine = await cli.engine();
    const lists = await engine.manifestLists();
    const change = entryChange(flags);
    if (flags.truth("index") === (image !== undefined)) {
      throw new UsageError("either --index or the image of the list is needed, and not both", 125, true);
    }
    const about = flags.text("subject");
    if (about !== undefined && image !== undefined) {
      throw new UsageError("--subject is said of the list: it wants --index", 125, true);
    }
    const subject = about === undefined ? undefined : await subjectOf(cli, flags, placeOfImage(engine.images, about));
    const { id } = lists.update(name, (before) => {
      if (image === undefined) {
        const annotations = { ...before.annotations, ...change.annotations };
        return { ...before, annotations, ...(subject === undefined ? {} : { subject }) };
      }
      const isDigest = tryParseDigest(image) !== undefined;
      const place = isDigest ? undefined : placeOfImage(engine.images, image);
      const found = before.manifests.find(({ digest }) => before.sources[digest] === place);
      return withChange(before, isDigest ? image : (found?.digest ?? image), change);
    });
    cli.out(`${id}\n`);
    return 0;
  },
});
