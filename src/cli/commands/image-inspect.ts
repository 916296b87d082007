import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { inspectAll, objectLookup } from "../shared/inspect.ts";
import { documentFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Display detailed information on one or more images",
  flags: {
    format: documentFormat(),
    platform: string({ usage: "Inspect an image that is for the platform (os[/arch[/variant]])" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const engine = await cli.engine();
    const lookup = objectLookup(engine, "image", false);
    return inspectAll(cli, args, flags.format, async (name) => {
      if (flags.platform !== "") engine.images.get(name, { platform: flags.platform });
      return lookup(name);
    });
  },
});
