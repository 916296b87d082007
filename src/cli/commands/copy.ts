import { writeFileSync } from "node:fs";
import { type PlaceName, parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { bool, int, list, string } from "../flags/kinds.ts";
import { copyDisplay } from "../places/copy-display.ts";
import { copyOne } from "../places/copy-one.ts";
import { copyOptions } from "../places/copy-options.ts";
import { decryptionFlags, encryptionFlags } from "../places/encryption.ts";
import { commonFlags, copyFlags, Flags, placeFlags } from "../places/flags.ts";
import { isNoImage, NO_IMAGE } from "../places/no-image.ts";
import { placeOptions } from "../places/options.ts";
import { signersOf, trustOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { reportOne } from "../report.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SOURCE-IMAGE DESTINATION-IMAGE",
  summary: "Copy an image from one location to another",
  flags: {
    ...commonFlags(),
    ...copyFlags(),
    ...placeFlags("src-"),
    ...placeFlags("dest-"),
    ...encryptionFlags(),
    ...decryptionFlags(),
    "additional-tag": list({ usage: "Additional tags (supports docker-archive)" }),
    "multi-arch": string({ usage: "How to handle multi-architecture images (system, all, or index-only)" }),
    "dest-compress": bool({ usage: "Compress the layers when saving to a directory" }),
    "dest-decompress": bool({ usage: "Decompress the layers when saving to a directory" }),
    "dest-oci-accept-uncompressed-layers": bool({ usage: "Leave uncompressed layers as they are when saving to oci:" }),
    "dest-compress-format": string({
      usage: "FORMAT to use for the compression: gzip, zstd, zstd:chunked",
      type: "FORMAT",
    }),
    "dest-compress-level": int({ usage: "LEVEL to use for the compression" }),
    "dest-force-compress-format": bool({ usage: "Use the format exclusively (it always is)" }),
    "dest-precompute-digests": bool({ usage: "Accepted; what a registry holds is not sent in any case" }),
    "image-parallel-copies": int({ usage: "Number of layers that are copied at a time (default 6)" }),
    quiet: bool({ short: "q", usage: "Suppress output information when copying images" }),
  },
  args: { least: 2, most: 2 },
  async run({ cli, flags: values, args: [from = "", to = ""], changed }) {
    const flags = new Flags(values, changed);
    const archiveOnOutput = /^(oci|docker)-archive:(-|\/dev\/stdout)(:|$)/.test(to);
    const display = flags.truth("quiet") || archiveOnOutput ? undefined : await copyDisplay(cli);
    try {
      const [source, destination] = [parsePlace(from), parsePlace(to)];
      const options = await copyOptions(flags);
      const [trust, signers] = [await trustOf(cli, flags), await signersOf(cli, flags)];
      const result = await untilInterrupted(async (signal) => {
        if (display !== undefined) cli.out("Getting image source signatures\n");
        return copyOne({
          from: source,
          to: destination,
          trust,
          source: placeOptions(cli, flags, "src-", signal),
          destination: {
            ...placeOptions(cli, flags, "dest-", signal),
            additionalTags: flags.texts("additional-tag"),
            layers: wantedLayers(flags, destination),
          },
          options: {
            ...options,
            signers,
            signal,
            ...(display === undefined ? {} : { onProgress: (event) => display.event(event) }),
          },
        });
      }, flags.number("command-timeout"));
      const file = flags.text("digestfile");
      if (file !== undefined) writeFileSync(file, result.digest);
      return 0;
    } catch (failure) {
      display?.close();
      if (!isNoImage(failure, from)) throw failure;
      reportOne(cli, failure);
      return NO_IMAGE;
    } finally {
      display?.close();
    }
  },
});

function wantedLayers(flags: Flags, { transport }: PlaceName): "any" | "compressed" | undefined {
  if (transport === "dir") return flags.truth("dest-compress") ? "compressed" : undefined;
  return flags.truth("dest-oci-accept-uncompressed-layers") ? "any" : undefined;
}
