import { mkdtempSync, rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { Flags } from "../places/flags.ts";
import { loadedLines, loadImages } from "../places/load-images.ts";
import { saveImages } from "../places/save-images.ts";
import { fetchImage, sendImage } from "../places/scp.ts";
import { type ScpEnds, scpEnds } from "../places/scp-ends.ts";
import { acceptance, trustOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [HOST::]IMAGE [HOST::]",
  summary: "Copy an image between hosts",
  flags: { quiet: bool({ short: "q", usage: "Suppress the output" }) },
  args: { least: 1, most: 2 },
  failureStatus: 125,
  async run({ cli, flags, args }) {
    const ends = scpEnds(args, userInfo().username);
    const scratch = cli.env.TMPDIR ?? "/var/tmp";
    const directory = mkdtempSync(join(scratch, "galley-scp-"));
    const say = (text: string) => void (flags.quiet || cli.out(text));
    try {
      fullSpeed();
      await untilInterrupted(
        (signal) => transfer(cli, ends, { file: join(directory, "image.tar"), scratch, say, signal }),
        undefined,
      );
      return 0;
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
});

interface Transfer {
  readonly file: string;
  readonly scratch: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** By an archive on the disk, as both ends want to know how long it is before they begin. */
async function transfer(
  cli: Cli,
  { from, image, to }: ScpEnds,
  { file, scratch, say, signal }: Transfer,
): Promise<void> {
  const { images } = await cli.engine();
  if (from.kind !== "here") await fetchImage(from, image, file, signal);
  else {
    const options = { format: "docker-archive", output: file, compress: false, uncompressed: false } as const;
    await saveImages(images, [image], { ...options, scratch, signal });
  }
  if (to.kind !== "here") return say(await sendImage(to, file, signal));
  const trust = await trustOf(cli, new Flags({}, new Set()));
  await loadImages(images, file, {
    ...{ scratch, signal },
    loaded: (image) => say(loadedLines(image)),
    accept: (place) => acceptance(trust, place),
  });
}
