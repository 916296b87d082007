import { extractArtifact } from "../../image/artifacts/extract.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT PATH",
  summary: "Write the files of an artifact to this host",
  flags: {
    digest: string({ usage: "Only extract the file with the given digest" }),
    title: string({ usage: "Only extract the file with the given title" }),
  },
  args: { least: 2, most: 2 },
  failureStatus: 125,
  async run({ cli, flags: { digest, title }, args: [name = "", path = ""] }) {
    if (digest !== "" && title !== "") throw new UsageError("--digest and --title cannot be used together", 125, true);
    const store = await (await cli.engine()).artifacts();
    await extractArtifact(store, await store.get(name), {
      path,
      digest: digest || undefined,
      title: title || undefined,
    });
    return 0;
  },
});
