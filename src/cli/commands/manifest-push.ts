import { type CompressionOptions, copyImage } from "../../image/copy/copy.ts";
import { ListSource } from "../../image/lists/list-source.ts";
import { familiarName, parseReference } from "../../image/reference.ts";
import { openDestination, openSource } from "../../image/transports/open-place.ts";
import { namesPlace, parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { bool, int, list, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { copyOptions } from "../places/copy-options.ts";
import { accessFlags, Flags, signingFlags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { signersOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST [DESTINATION]",
  summary: "Push a manifest list, with its images, to a registry or another place",
  flags: {
    ...accessFlags(),
    "add-compression": list({ usage: "Add images with the selected compression while pushing", type: "FORMAT" }),
    all: bool({ usage: "Also push the images in the list", initial: true }),
    "compression-format": string({ usage: "Compress layers as gzip, zstd or zstd:chunked", type: "FORMAT" }),
    "compression-level": int({ usage: "Compression level" }),
    digestfile: string({ usage: "Write the digest of the pushed list to the file" }),
    "force-compression": bool({ usage: "Accepted; a compression that is asked for is always done", hidden: true }),
    format: string({ short: "f", usage: "MANIFEST TYPE (oci or v2s2) of the list", type: "MANIFEST TYPE" }),
    purge: bool({ short: "p", usage: "", hidden: true }),
    quiet: bool({ short: "q", usage: "Suppress output" }),
    "remove-signatures": bool({ usage: "", hidden: true }),
    ...signingFlags(),
    rm: bool({ usage: "Remove the list if the push succeeds" }),
  },
  args: { least: 1, most: 2 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = "", destination = name], changed }) {
    const { "compression-format": format, "compression-level": level, all, ...rest } = values;
    const flags = new Flags(
      { ...rest, all: false, "dest-compress-format": format, "dest-compress-level": level },
      changed,
    );
    const lists = await (await cli.engine()).manifestLists();
    const pushed = lists.get(name);
    const addedCompressions = compressionsOf(flags);
    const signers = await signersOf(cli, flags);
    const to = parsePlace(namesPlace(destination) ? destination : `docker://${destination}`);
    fullSpeed();
    const result = await untilInterrupted(async (signal) => {
      const options = placeOptions(cli, flags, "", signal);
      const source = new ListSource(pushed, (place) => openSource(parsePlace(place), options));
      try {
        const target = await openDestination(to, options);
        try {
          const lists = all ? "all" : "index-only";
          return await copyImage(source, target, {
            ...(await copyOptions(flags)),
            lists,
            signers,
            signal,
            addedCompressions,
          });
        } finally {
          await target.close();
        }
      } finally {
        await source.close();
      }
    }, undefined);
    const digestfile = flags.text("digestfile");
    if (digestfile !== undefined) await Bun.write(digestfile, result.digest);
    if (flags.truth("rm") || flags.truth("purge")) lists.remove(pushed.name);
    if (!flags.truth("quiet")) cli.out(`${familiarName(parseReference(pushed.name))}: digest: ${result.digest}\n`);
    return 0;
  },
});

type Compression = CompressionOptions["format"];

/** Those of `--add-compression`, in any number of flags, divided by commas. */
function compressionsOf(flags: Flags): readonly Compression[] {
  return flags.words("add-compression").map((name) => {
    if (name === "gzip" || name === "zstd" || name === "zstd:chunked") return name;
    throw new UsageError(`requested algorithm ${name} is not supported for replication`, 125, true);
  });
}
