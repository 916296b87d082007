import { GalleyError } from "../../errors.ts";
import type { CompressionOptions, CopyOptions, Format, ListMode } from "../../image/copy/copy.ts";
import { UsageError } from "../usage-error.ts";
import { cryptOptions } from "./encryption.ts";
import type { Flags } from "./flags.ts";
import { wantedPlatform } from "./options.ts";
import { signedName } from "./trust.ts";

/** What the flags of copies ask for. */
export async function copyOptions(flags: Flags): Promise<CopyOptions> {
  return {
    lists: listMode(flags),
    platform: wantedPlatform(flags),
    format: formatOf(flags),
    compression: compressionOf(flags),
    preserveDigests: flags.truth("preserve-digests"),
    removeSignatures: flags.truth("remove-signatures"),
    signAs: signedName(flags),
    atOnce: layersAtOnce(flags),
    ...(await cryptOptions(flags)),
  };
}

/** Not given, or zero: the default. */
function layersAtOnce(flags: Flags): number | undefined {
  const asked = flags.number("image-parallel-copies") ?? 0;
  if (asked >= 0) return asked === 0 ? undefined : asked;
  throw new UsageError(`invalid argument "${asked}" for "--image-parallel-copies" flag: it is less than zero`, 1, true);
}

function listMode(flags: Flags): ListMode {
  const asked = flags.text("multi-arch");
  if (asked !== undefined && flags.truth("all")) {
    throw new UsageError("Cannot use --all and --multi-arch flags at the same time", 1, true);
  }
  if (flags.truth("all")) return "all";
  if (asked === undefined || asked === "system" || asked === "all" || asked === "index-only") return asked ?? "system";
  throw new UsageError(
    `unknown multi-arch option ${JSON.stringify(asked)}. Choose one of the supported options: 'system', 'all', or 'index-only'`,
    1,
    true,
  );
}

function formatOf(flags: Flags): Format | undefined {
  const asked = flags.text("format");
  if (asked === undefined || asked === "oci" || asked === "v2s2") return asked;
  if (asked === "v2s1") {
    throw new GalleyError("unimplemented", "Docker's schema 1 is not written any more", {
      op: "copy",
      hint: "registries refuse it; use --format v2s2",
    });
  }
  throw new UsageError(
    `unknown format ${JSON.stringify(asked)}. Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'`,
    1,
    true,
  );
}

const levels = { gzip: [1, 9], zstd: [1, 20], "zstd:chunked": [1, 20], none: [0, 0] } as const;

function compressionOf(flags: Flags): CompressionOptions | undefined {
  if (flags.truth("dest-compress") && flags.truth("dest-decompress")) {
    throw new UsageError("Cannot compress and decompress at the same time", 1, true);
  }
  if (flags.truth("dest-decompress")) return { format: "none" };
  const asked = flags.text("dest-compress-format");
  const level = flags.number("dest-compress-level");
  if (asked === undefined && level === undefined) return undefined;
  const format = asked ?? "gzip";
  if (format !== "gzip" && format !== "zstd" && format !== "zstd:chunked" && format !== "none") {
    throw new UsageError(
      `cannot find compressor for ${JSON.stringify(format)}: gzip, zstd, zstd:chunked and none are known`,
      1,
      true,
    );
  }
  const [least, most] = levels[format];
  if (level !== undefined && (level < least || level > most)) {
    throw new UsageError(`the compression level of ${format} is from ${least} to ${most}`, 1, true);
  }
  return { format, level };
}
