import { addArtifact } from "../../image/artifacts/add-files.ts";
import { parseReference } from "../../image/reference.ts";
import { defineCommand } from "../command.ts";
import { bool, list, string } from "../flags/kinds.ts";
import { Flags } from "../places/flags.ts";
import { annotationsOf } from "../places/manifest-lists.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT PATH [PATH...]",
  summary: "Add files of this host to the store as an artifact",
  flags: {
    annotation: list({ usage: "Set an annotation for the files", type: "annotation" }),
    append: bool({ short: "a", usage: "Append files to an existing artifact" }),
    "file-type": string({ usage: "Set the media type of the files" }),
    replace: bool({ usage: "Replace an existing artifact" }),
    type: string({ usage: "Say what kind of artifact it is" }),
  },
  args: { least: 2 },
  failureStatus: 125,
  async run({ cli, flags, args: [name = "", ...files], changed }) {
    if (flags.append && flags.replace)
      throw new UsageError("--append and --replace cannot be used together", 125, true);
    parseReference(name);
    const digest = await addArtifact(await (await cli.engine()).artifacts(), {
      name,
      files,
      type: flags.type || undefined,
      fileType: flags["file-type"] || undefined,
      annotations: annotationsOf(new Flags(flags, changed)),
      existing: flags.append ? "append" : flags.replace ? "replace" : "fail",
    });
    cli.out(`${digest.slice("sha256:".length)}\n`);
    return 0;
  },
});
