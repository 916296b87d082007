import { parseReference } from "../../image/reference.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { pullImage } from "../shared/pull.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  flags: {
    "disable-content-trust": bool({ usage: "", initial: true, hidden: true }),
    platform: string({ usage: "Set platform if the image is made for several (os/arch[/variant])" }),
    quiet: bool({ short: "q", usage: "Suppress verbose output" }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [reference = ""] }) {
    const { tag, digest } = parseReference(reference);
    if (tag === undefined && digest === undefined && !flags.quiet) cli.out("Using default tag: latest\n");
    const { images } = await cli.engine();
    const platform = flags.platform || (cli.env.DOCKER_DEFAULT_PLATFORM ?? "");
    const result = await pullImage(cli, images, { reference, platform, quiet: flags.quiet, stream: 1 });
    cli.out(`${result.reference}\n`);
    return 0;
  },
});
