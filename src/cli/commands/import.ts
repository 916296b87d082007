import { defineCommand } from "../command.ts";
import { bool, list, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { Flags } from "../places/flags.ts";
import { importTar } from "../places/import-tar.ts";
import { machineFlags, machineOf } from "../places/machine.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";

export const command = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Import the contents from a tarball to create a filesystem image",
  flags: {
    change: list({ short: "c", usage: "Apply Dockerfile instruction to the created image" }),
    message: string({ short: "m", usage: "Set commit message for imported image" }),
    platform: string({ usage: "Set platform if server is multi-platform capable" }),
    quiet: bool({ short: "q", usage: "Accepted; nothing but the image's ID is said", hidden: true }),
    ...machineFlags(),
  },
  args: { least: 1, most: 2 },
  async run({ cli, flags, args: [from = "", name], changed }) {
    const platform = machineOf(new Flags(flags, changed)) ?? "";
    const { images } = await cli.engine();
    const work = (signal: AbortSignal) =>
      importTar(images, from, {
        ...{ name, signal, changes: flags.change, message: flags.message, platform },
        scratch: cli.env.TMPDIR ?? "/var/tmp",
      });
    fullSpeed();
    cli.out(`${await untilInterrupted(work, undefined)}\n`);
    return 0;
  },
});
