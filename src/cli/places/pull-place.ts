import { copyImage } from "../../image/copy/copy.ts";
import type { KeyOpener } from "../../image/copy/encryption/key-wrap.ts";
import { parsePlatform } from "../../image/platform.ts";
import { familiarName } from "../../image/reference.ts";
import { openSource } from "../../image/transports/open-place.ts";
import { type PlaceName, parsePlace } from "../../image/transports/place-name.ts";
import type { Cli } from "../cli.ts";
import { fullSpeed } from "../full-speed.ts";
import { UsageError } from "../usage-error.ts";
import { Flags } from "./flags.ts";
import { loadImages, refuseOthers } from "./load-images.ts";
import { placeOptions } from "./options.ts";
import { acceptance, trustOf } from "./trust.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** What is pulled, and for which machine. */
export interface PlacePull {
  /** `TRANSPORT:…`, of any transport but `docker:`. */
  readonly place: string;
  /** Empty: the host's. */
  readonly platform: string;
  readonly decryption: readonly KeyOpener[] | undefined;
}

/**
 * podman's `pull TRANSPORT:…`: an image of an archive, a layout, a directory or a Docker daemon, under the name by which the place knows
 * it. An archive of which none is named gives all of its images. Prints their IDs.
 */
export async function pullPlace(cli: Cli, flags: Flags, { place, ...asked }: PlacePull): Promise<void> {
  const from = parsePlace(place);
  if (from.transport === "containers-storage") throw new UsageError("what is in the store need not be pulled", 1, true);
  const tell = (id: string) => cli.out(`${id}\n`);
  fullSpeed();
  await untilInterrupted(async (signal) => {
    if (isWholeArchive(from)) await pullArchive(cli, { path: from.path, ...asked, signal, tell });
    else tell(await pullOne(cli, flags, { from, ...asked, signal }));
  }, undefined);
}

type Asked = Omit<PlacePull, "place"> & { readonly signal: AbortSignal };

function isWholeArchive(place: PlaceName): place is PlaceName & { readonly path: string } {
  if (place.transport === "docker-archive") return place.tag === undefined && place.position === undefined;
  return place.transport === "oci-archive" && place.name === undefined && place.position === undefined;
}

async function pullArchive(
  cli: Cli,
  { path, platform, signal, tell }: Asked & { readonly path: string; readonly tell: (id: string) => void },
): Promise<void> {
  const trust = await trustOf(cli, new Flags({}, new Set()));
  const { images } = await cli.engine();
  await loadImages(images, path, {
    signal,
    loaded: ({ id }) => tell(id),
    accept: (place) => acceptance(trust, place),
    scratch: cli.env.TMPDIR ?? "/var/tmp",
    ...(platform === "" ? {} : { platform }),
  });
}

async function pullOne(
  cli: Cli,
  flags: Flags,
  { from, platform, decryption, signal }: Asked & { readonly from: PlaceName },
): Promise<string> {
  const trust = await trustOf(cli, new Flags({}, new Set()));
  const { images } = await cli.engine();
  const source = await openSource(from, placeOptions(cli, flags, "", signal));
  try {
    const destination = await images.destination(namesOf(from));
    try {
      const accept = await acceptance(trust, from);
      const chosen = platform === "" ? {} : { platform: parsePlatform(platform) };
      if (chosen.platform !== undefined) await refuseOthers(source, chosen.platform);
      await copyImage(source, destination, { signal, accept, decryption, ...chosen });
      return destination.imageId;
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

/** By which names the place knows the image. */
function namesOf(place: PlaceName): readonly string[] {
  switch (place.transport) {
    case "oci":
    case "oci-archive":
      return place.name === undefined ? [] : [place.name];
    case "docker-archive":
      return place.tag === undefined ? [] : [place.tag];
    case "docker-daemon":
      return "id" in place ? [] : [familiarName(place.reference)];
    default:
      return [];
  }
}
