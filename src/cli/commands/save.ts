import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { saveImages } from "../places/save-images.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

const formats = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] as const;

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  flags: {
    output: string({ short: "o", usage: "Write to a file, instead of STDOUT" }),
    format: string({ usage: `Format of the result: ${formats.join(", ")}`, initial: "docker-archive" }),
    platform: string({ usage: "Save only the given platform variant" }),
    compress: bool({ usage: "Compress the layers (directories only)" }),
    uncompressed: bool({ usage: "Leave uncompressed layers as they are (OCI formats)" }),
    "multi-image-archive": bool({
      short: "m",
      usage: "Accepted; a docker archive takes any number of images",
      hidden: true,
    }),
    quiet: bool({ short: "q", usage: "Suppress the output" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const format = formats.find((one) => one === flags.format);
    if (format === undefined) {
      throw new UsageError(
        `unknown format ${JSON.stringify(flags.format)}: it is one of ${formats.join(", ")}`,
        1,
        true,
      );
    }
    if (format.endsWith("-dir") && flags.output === "") throw new UsageError(`${format} needs --output`, 1, true);
    if (flags.output === "" && cli.isTerminal(1)) {
      throw new UsageError("cowardly refusing to save to a terminal. Use the -o flag or redirect", 1, true);
    }
    const { images } = await cli.engine();
    fullSpeed();
    await untilInterrupted(
      (signal) =>
        saveImages(images, args, {
          format,
          signal,
          output: flags.output,
          compress: flags.compress,
          uncompressed: flags.uncompressed,
          scratch: cli.env.TMPDIR ?? "/var/tmp",
          ...(flags.platform === "" ? {} : { platform: flags.platform }),
        }),
      undefined,
    );
    return 0;
  },
});
