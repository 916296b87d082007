import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { Flags } from "../places/flags.ts";
import { loadedLines, loadImages } from "../places/load-images.ts";
import { acceptance, trustOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Load an image from a tar archive or STDIN",
  flags: {
    input: string({ short: "i", usage: "Read from tar archive file, instead of STDIN" }),
    platform: string({ usage: "Load only the given platform variant" }),
    quiet: bool({ short: "q", usage: "Suppress the load output" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    if (flags.input === "" && cli.isTerminal(0)) {
      throw new UsageError("requested load from stdin, but stdin is empty", 1, true);
    }
    const { images } = await cli.engine();
    const trust = await trustOf(cli, new Flags({}, new Set()));
    fullSpeed();
    await untilInterrupted(
      (signal) =>
        loadImages(images, flags.input === "" ? "-" : flags.input, {
          signal,
          loaded: (image) => cli.out(loadedLines(image)),
          accept: (place) => acceptance(trust, place),
          scratch: cli.env.TMPDIR ?? "/var/tmp",
          ...(flags.platform === "" ? {} : { platform: flags.platform }),
        }),
      undefined,
    );
    return 0;
  },
});
