import type { ImageRecord } from "../../image/types.ts";
import type { Filters } from "../../image/views/filters.ts";
import type { CliEngine } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, filter, string } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import {
  type ImageName,
  imageHeadings,
  imageNames,
  imageRaw,
  imageRow,
  imageTable,
  imageTableWithDigests,
} from "../rows/image-row.ts";
import { dockerConfig } from "../shared/docker-config.ts";
import { listFormat } from "../shared/list-flags.ts";
import { UsageError } from "../usage-error.ts";

type Order = (a: ImageName, b: ImageName) => number;

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const orders: Readonly<Record<string, Order>> = {
  created: (a, b) => Date.parse(b.image.createdAt) - Date.parse(a.image.createdAt),
  id: (a, b) => compare(a.image.id, b.image.id),
  repository: (a, b) => compare(a.repository, b.repository),
  size: (a, b) => a.image.size - b.image.size,
  tag: (a, b) => compare(a.tag, b.tag),
};

export const command = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  flags: {
    all: bool({ short: "a", usage: "Show all images (there are no intermediate ones here)" }),
    digests: bool({ usage: "Show digests" }),
    filter: filter({ short: "f", usage: "Filter output based on conditions provided" }),
    format: listFormat(),
    "no-trunc": bool({ usage: "Don't truncate output" }),
    noheading: bool({ short: "n", usage: "Do not print column headings" }),
    quiet: bool({ short: "q", usage: "Only show image IDs" }),
    sort: string({ usage: `Sort by ${Object.keys(orders).join(", ")}`, type: "choice" }),
  },
  args: { most: 1 },
  async run({ cli, flags, args: [pattern] }) {
    const engine = await cli.engine();
    const patterns = [...(flags.filter.reference ?? []), ...(pattern === undefined ? [] : [pattern])];
    const filters = patterns.length === 0 ? flags.filter : { ...flags.filter, reference: patterns };
    const found = await named(await listed(engine, filters), patterns);
    const format = chooseFormat(flags, dockerConfig(cli.env).imagesFormat ?? "");
    const withDigests = flags.digests || format.includes("{{.Digest}}");
    const names = flags.quiet ? found.map((image) => ({ image, ...nameless })) : imageNames(found, withDigests);
    const containers = /\.Containers|json/.test(format) ? await countContainers(engine) : undefined;
    const options = {
      truncate: !flags["no-trunc"],
      now: Date.now(),
      ...(containers === undefined ? {} : { containers }),
    };
    const rows = sorted(names, flags.sort).map((name) => imageRow(name, options));
    const text = renderListing({ format, rows, headings: imageHeadings });
    cli.out(flags.noheading && format.startsWith("table") ? text.slice(text.indexOf("\n") + 1) : text);
    return 0;
  },
});

/** Images, with lists of images among them, as podman shows them. */
async function listed(engine: CliEngine, filters: Filters): Promise<readonly ImageRecord[]> {
  const { images } = engine;
  const found = images.list({ filters });
  if (!engine.hasManifestLists) return found;
  const lists = (await engine.manifestLists()).all();
  const [{ listAsImage }, { filterImages }] = await Promise.all([
    import("../../image/lists/as-image.ts"),
    import("../../image/views/filters.ts"),
  ]);
  const facts = { of: (reference: string) => images.get(reference), isUsed: () => false };
  const shown = filterImages(lists.map(listAsImage), filters, facts);
  return [...found, ...shown].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

/** Of the images that patterns found, only the names that they mean are shown, as docker does it. */
async function named(images: readonly ImageRecord[], patterns: readonly string[]): Promise<readonly ImageRecord[]> {
  if (patterns.length === 0) return images;
  const { namesLike } = await import("../../image/views/filters.ts");
  return images.map((image) => {
    const meant = new Set(namesLike(image, patterns));
    const only = (names: readonly string[]) => names.filter((name) => meant.has(name));
    return { ...image, names: only(image.names), digests: only(image.digests) };
  });
}

/** In podman's orders: the newest and the smallest first, names and IDs by their letters. */
function sorted(names: readonly ImageName[], by: string): readonly ImageName[] {
  if (by === "") return names;
  const order = Object.hasOwn(orders, by) ? orders[by] : undefined;
  if (order !== undefined) return names.toSorted(order);
  throw new UsageError(`"${by}" is an invalid sort: choose one of ${Object.keys(orders).join(", ")}`, 1, true);
}

const nameless = { repository: "", tag: "", digest: "" };

function chooseFormat(
  flags: { readonly format: string; readonly quiet: boolean; readonly digests: boolean },
  configured: string,
): string {
  const custom = flags.format === "" ? configured : flags.format;
  if (flags.quiet) return custom === "raw" ? "image_id: {{.ID}}" : "{{.ID}}";
  if (custom === "raw") return imageRaw(flags.digests);
  if (custom === "" || custom === "table") return flags.digests ? imageTableWithDigests : imageTable;
  const isTable = custom.startsWith("table");
  return isTable && flags.digests && !custom.includes("{{.Digest}}") ? `${custom}\t{{.Digest}}` : custom;
}

async function countContainers(engine: {
  readonly containers: import("../../engine/types.ts").Containers;
}): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { imageId } of await engine.containers.list({ all: true })) {
    counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
  }
  return counts;
}
