import { defineCommand } from "../command.ts";
import { goNames } from "../format/go-names.ts";
import { inspectRenderer } from "../format/inspect-render.ts";
import { documentFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT",
  summary: "Show the manifest of an artifact",
  flags: { format: documentFormat() },
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags: { format }, args: [text = ""] }) {
    const { manifest, name, digest } = await (await (await cli.engine()).artifacts()).get(text);
    const document = { Manifest: { ...manifest }, Name: name, Digest: digest };
    if (format === "" || format === "json") cli.out(`${JSON.stringify(document, null, 5)}\n`);
    else {
      const renderer = inspectRenderer(format);
      renderer.add({ ...document, Manifest: goNames(manifest) });
      cli.out(renderer.text());
    }
    return 0;
  },
});
