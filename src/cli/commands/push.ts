import { GalleyError } from "../../errors.ts";
import type { CopyEvent } from "../../image/copy/copy.ts";
import { shortDigest } from "../../image/digest.ts";
import { parsePlatform } from "../../image/platform.ts";
import {
  familiarName,
  familiarRepository,
  parseReference,
  repositoryOf,
  withDefaultTag,
} from "../../image/reference.ts";
import { namesPlace, parsePlace } from "../../image/transports/place-name.ts";
import type { Signer } from "../../image/trust/signature.ts";
import type { Images } from "../../image/types.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import type { FlagSet } from "../flags/flag.ts";
import { bool, int, string } from "../flags/kinds.ts";
import { copyOne } from "../places/copy-one.ts";
import { copyOptions } from "../places/copy-options.ts";
import { encryptionFlags } from "../places/encryption.ts";
import { commonFlags, Flags, registryFlags, signingFlags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { signersOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG] [DESTINATION]",
  summary: "Upload an image to a registry",
  flags: {
    ...pushedFlags(),
    ...registryFlags(""),
    retry: int({ usage: "", hidden: true, aliasOf: "retry-times" }),
    "all-tags": bool({ short: "a", usage: "Push all tags of an image to the repository" }),
    "disable-content-trust": bool({ usage: "", initial: true, hidden: true }),
    platform: string({ usage: "Push a platform-specific manifest as a single-platform image" }),
    quiet: bool({ short: "q", usage: "Suppress verbose output" }),
    format: string({ short: "f", usage: "MANIFEST TYPE (oci or v2s2) to use in the registry", type: "MANIFEST TYPE" }),
    compress: bool({ usage: "Compress the layers when saving to a directory" }),
    "compression-format": string({ usage: "Compress layers as gzip, zstd or zstd:chunked", type: "FORMAT" }),
    "compression-level": int({ usage: "Compression level" }),
    "force-compression": bool({ usage: "Accepted; a compression that is asked for is always done", hidden: true }),
    digestfile: string({ usage: "Write the digest of the pushed image to the file" }),
    "remove-signatures": bool({ usage: "Do not push the signatures that the image came with" }),
    ...signingFlags(),
    ...encryptionFlags(),
  },
  args: { least: 1, most: 2 },
  async run({ cli, flags: values, args: [name = "", destination], changed }) {
    const flags = new Flags(
      {
        ...values,
        "dest-compress-format": values["compression-format"],
        "dest-compress-level": values["compression-level"],
      },
      changed,
    );
    const { images } = await cli.engine();
    const names = flags.truth("all-tags") ? allTags(images, name) : [named(images, name)];
    const signers = await signersOf(cli, flags);
    for (const one of names) await pushOne(cli, flags, { image: one, destination: destination ?? one, signers });
    return 0;
  },
});

/** Of what the commands for places have in common, all that is not about choosing images or trusting them: the store's are chosen and trusted. */
function pushedFlags(): FlagSet {
  const none = ["override-arch", "override-os", "override-variant", "insecure-policy", "policy", "require-signed"];
  return Object.fromEntries(Object.entries(commonFlags()).filter(([name]) => !none.includes(name)));
}

/** The image by its name, or by its ID, which podman takes where a destination is named. */
function named(images: Images, name: string): string {
  const full = familiarName(withDefaultTag(parseReference(name)));
  const image = images.find(name);
  if (image === undefined) {
    throw new GalleyError(
      "not_found",
      `An image does not exist locally with the tag: ${familiarRepository(parseReference(name))}`,
    );
  }
  return [...image.names, ...image.digests].includes(full) ? full : image.id;
}

function allTags(images: Images, name: string): readonly string[] {
  const reference = parseReference(name);
  if (reference.tag !== undefined) throw new UsageError("tag can't be used with --all-tags/-a", 1, true);
  const repository = repositoryOf(reference);
  const tags = images
    .list()
    .flatMap((image) => image.names.filter((one) => repositoryOf(parseReference(one)) === repository));
  if (tags.length > 0) return tags.sort();
  throw new GalleyError("not_found", `An image does not exist locally with the tag: ${familiarRepository(reference)}`);
}

interface Pushed {
  readonly image: string;
  readonly destination: string;
  readonly signers: readonly Signer[];
}

async function pushOne(cli: Cli, flags: Flags, { image, destination, signers }: Pushed): Promise<void> {
  const quiet = flags.truth("quiet");
  const to = parsePlace(namesPlace(destination) ? destination : `docker://${destination}`);
  const reference = "reference" in to ? to.reference : undefined;
  const platform = flags.text("platform");
  if (platform !== undefined) await checkPlatform(cli, image, platform);
  if (!quiet && reference !== undefined) cli.out(`The push refers to repository [${repositoryOf(reference)}]\n`);
  const shown = new Set<string>();
  const result = await untilInterrupted(async (signal) => {
    const options = placeOptions(cli, flags, "", signal);
    const onProgress = quiet ? undefined : (event: CopyEvent) => show(cli, event, shown);
    const layers = to.transport === "dir" && flags.truth("compress") ? ("compressed" as const) : undefined;
    return copyOne({
      from: { transport: "containers-storage", name: image },
      ...{ to, source: options, destination: { ...options, layers } },
      options: { ...(await copyOptions(flags)), signers, signal, ...(onProgress === undefined ? {} : { onProgress }) },
    });
  }, flags.number("command-timeout"));
  const digestfile = flags.text("digestfile");
  if (digestfile !== undefined) await Bun.write(digestfile, result.digest);
  if (quiet) cli.out(`${reference === undefined ? destination : `${repositoryOf(reference)}:${reference.tag}`}\n`);
  else cli.out(`${reference?.tag ?? destination}: digest: ${result.digest} size: ${result.bytes.length}\n`);
}

async function checkPlatform(cli: Cli, image: string, platform: string): Promise<void> {
  parsePlatform(platform);
  const { images } = await cli.engine();
  if (images.find(image, { platform }) === undefined) {
    throw new GalleyError("not_found", `the image is not for ${platform}`, { op: "push", subject: image });
  }
}

const texts = {
  present: "Layer already exists",
  mounted: "Mounted",
  copied: "Pushed",
  skipped: "Skipped foreign layer",
};

/** docker's lines, one for each change of a layer; docker knows layers by their diff IDs. */
function show(cli: Cli, event: CopyEvent, shown: Set<string>): void {
  if (event.kind === "retrying")
    cli.out(`${shortDigest(event.digest)}: Retrying in ${event.seconds} seconds: ${event.reason}\n`);
  if (event.kind !== "blob" || event.what !== "layer") return;
  const id = shortDigest(event.diffId ?? event.digest);
  if (!shown.has(id)) cli.out(`${id}: Preparing\n`);
  shown.add(id);
  if (event.status !== "started") cli.out(`${id}: ${texts[event.status]}\n`);
}
