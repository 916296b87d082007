import { defineCommand } from "../command.ts";
import { list, string } from "../flags/kinds.ts";
import { importTar } from "../places/import-tar.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";

export const command = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Import the contents from a tarball to create a filesystem image",
  flags: {
    change: list({ short: "c", usage: "Apply Dockerfile instruction to the created image" }),
    message: string({ short: "m", usage: "Set commit message for imported image" }),
    platform: string({ usage: "Set platform if server is multi-platform capable" }),
  },
  args: { least: 1, most: 2 },
  async run({ cli, flags, args: [from = "", name] }) {
    const { images } = await cli.engine();
    const work = (signal: AbortSignal) =>
      importTar(images, from, {
        ...{ name, signal, changes: flags.change, message: flags.message, platform: flags.platform },
        scratch: cli.env.TMPDIR ?? "/var/tmp",
      });
    cli.out(`${await untilInterrupted(work, undefined)}\n`);
    return 0;
  },
});
