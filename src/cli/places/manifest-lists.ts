import type { ManifestLists } from "../../image/lists/manifest-lists.ts";
import { namesPlace } from "../../image/transports/place-name.ts";
import type { Images } from "../../image/types.ts";
import type { Descriptor } from "../../spec/image.ts";
import type { Cli } from "../cli.ts";
import type { FlagSet } from "../flags/flag.ts";
import { list, string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";
import { placeOptions } from "./options.ts";

/** Flags by which something is said of an image of a list. */
export function entryFlags() {
  return {
    annotation: list({ usage: "Set an annotation for the image", type: "annotation" }),
    arch: string({ usage: "Override the architecture of the image", type: "architecture" }),
    features: list({ usage: "Override the features of the image (of Docker's lists alone)", type: "features" }),
    os: string({ usage: "Override the OS of the image", type: "OS" }),
    "os-version": string({ usage: "Override the OS version of the image", type: "version" }),
    variant: string({ usage: "Override the variant of the image", type: "variant" }),
  } satisfies FlagSet;
}

/** What the flags of {@link entryFlags} say. */
export function entryChange(flags: Flags) {
  const some = (name: string) => {
    const words = flags.words(name);
    return words.length === 0 ? undefined : words;
  };
  return {
    os: flags.text("os"),
    architecture: flags.text("arch"),
    variant: flags.text("variant"),
    osVersion: flags.text("os-version"),
    osFeatures: some("os-features"),
    features: some("features"),
    annotations: annotationsOf(flags),
  };
}

/** `KEY=VALUE` pairs of `--annotation`. */
export function annotationsOf(flags: Flags): Readonly<Record<string, string>> {
  const pairs = flags.texts("annotation").map((text) => {
    const at = text.indexOf("=");
    if (at <= 0) throw new UsageError(`no value given for annotation ${JSON.stringify(text)}`, 125, true);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** Where an image is that goes into a list: a place as it is written, an image of the store, or one of a registry. */
export function placeOfImage(images: Images, text: string): string {
  if (namesPlace(text)) return text;
  const image = images.find(text);
  return image === undefined ? `docker://${text}` : `containers-storage:${image.id}`;
}

export interface AddRequest {
  readonly lists: ManifestLists;
  readonly name: string;
  readonly image: string;
  readonly all: boolean;
}

/** Reads what is to be said of an image and writes it to a list. */
export async function addToList(cli: Cli, flags: Flags, { lists, name, image, all }: AddRequest): Promise<void> {
  const [{ openSource }, { parsePlace }, { entriesOf }, { changedEntry, withEntry }, { hostPlatform }] =
    await Promise.all([
      import("../../image/transports/open-place.ts"),
      import("../../image/transports/place-name.ts"),
      import("../../image/lists/entries.ts"),
      import("../../image/lists/manifest-list.ts"),
      import("../../image/platform.ts"),
    ]);
  const place = placeOfImage((await cli.engine()).images, image);
  const source = await openSource(parsePlace(place), placeOptions(cli, flags, ""));
  try {
    const change = entryChange(flags);
    const { architecture = hostPlatform().architecture, os = "linux", variant } = change;
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    const found = await entriesOf(source, { all, ...(change.architecture === undefined ? {} : { platform }) });
    lists.update(name, (before) =>
      found.reduce((all, entry) => withEntry(all, changedEntry(entry, change), place), before),
    );
  } finally {
    await source.close();
  }
}

/** The descriptor of the manifest or list that a place leads to. */
export async function subjectOf(cli: Cli, flags: Flags, place: string): Promise<Descriptor> {
  const [{ openSource }, { parsePlace }, { parseDocument, typeOfDocument }] = await Promise.all([
    import("../../image/transports/open-place.ts"),
    import("../../image/transports/place-name.ts"),
    import("../../image/pull/manifests.ts"),
  ]);
  const source = await openSource(parsePlace(place), placeOptions(cli, flags, ""));
  try {
    const { bytes, descriptor } = await source.document();
    const { digest, size } = descriptor;
    return { mediaType: typeOfDocument(parseDocument(bytes, descriptor, source.name)), size, digest };
  } finally {
    await source.close();
  }
}
