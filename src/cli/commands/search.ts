import { parseReference } from "../../image/reference.ts";
import { RegistryClients } from "../../image/transports/registry/clients.ts";
import { Repository } from "../../image/transports/registry/repository.ts";
import { type SearchHit, searchRegistry } from "../../image/transports/registry/search.ts";
import { defineCommand } from "../command.ts";
import { bool, type FilterValues, filter, int } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { Methods } from "../format/template/values.ts";
import { accessFlags, Flags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { ellipsis } from "../rows/text.ts";
import { listFormat } from "../shared/list-flags.ts";
import { UsageError } from "../usage-error.ts";

const WIDTH = 44;
const headings = {
  Index: "INDEX",
  Name: "NAME",
  Description: "DESCRIPTION",
  Stars: "STARS",
  Official: "OFFICIAL",
  Automated: "AUTOMATED",
  Tag: "TAG",
};

export const command = defineCommand({
  usage: "[OPTIONS] TERM",
  summary: "Search registries for images: by a registry's name and a text, or a text alone",
  flags: {
    ...accessFlags(),
    compatible: bool({ usage: "List stars, official and automated columns (Docker compatibility)" }),
    filter: filter({ short: "f", usage: "Filter output: stars=N, is-official=true, is-automated=true" }),
    format: listFormat(),
    limit: int({ usage: "Limit the number of results", initial: 25 }),
    "list-tags": bool({ usage: "List the tags of the repository" }),
    "no-trunc": bool({ usage: "Do not truncate the output" }),
  },
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags, args: [term = ""], changed }) {
    const test = filterTest(flags.filter);
    const limit = flags.limit === undefined || flags.limit <= 0 ? 25 : flags.limit;
    const clients = new RegistryClients(placeOptions(cli, new Flags(flags, changed), "").registry);
    if (flags["list-tags"]) {
      if (changed.has("filter")) throw new UsageError("filters are not applicable to list tags result", 125, true);
      cli.out(await tagsText(clients, term, flags.format, changed.has("limit") ? limit : undefined));
      return 0;
    }
    const hits: Found[] = [];
    for (const { domain, text } of places(clients, term)) {
      const found = await untilInterrupted(
        (signal) => searchRegistry(clients, domain, text, { limit, signal }),
        undefined,
      );
      hits.push(...found.filter(test).map((hit) => ({ domain, hit })));
    }
    const columns = flags.compatible
      ? "{{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}"
      : "{{.Name}}\t{{.Description}}";
    const format = flags.format === "" || flags.format === "table" ? `table ${columns}` : flags.format;
    if (format === "json") cli.out(`${JSON.stringify(hits.map(document), null, 4)}\n`);
    else
      cli.out(
        hits.length === 0
          ? ""
          : renderListing({ format, rows: hits.map((hit) => row(hit, flags["no-trunc"])), headings }),
      );
    return 0;
  },
});

interface Found {
  readonly domain: string;
  readonly hit: SearchHit;
}

/** `registry.example/text` asks that registry; a text alone those of registries.conf, or Docker Hub. */
function places(clients: RegistryClients, term: string): readonly { readonly domain: string; readonly text: string }[] {
  const slash = term.indexOf("/");
  const first = term.slice(0, Math.max(slash, 0));
  if (/[.:]/.test(first) || first === "localhost") return [{ domain: first, text: term.slice(slash + 1) }];
  const { searched = [] } = clients.conf;
  const domains = searched.length === 0 ? ["docker.io"] : searched;
  return domains.map((domain) => ({ domain, text: term }));
}

function filterTest(filters: FilterValues): (hit: SearchHit) => boolean {
  const tests = Object.entries(filters).map(([key, values]) => {
    const value = values.at(-1) ?? "";
    if (key === "stars") {
      if (!/^\d+$/.test(value))
        throw new UsageError(`incorrect value type for stars filter: ${JSON.stringify(value)}`, 125, true);
      return (hit: SearchHit) => hit.stars >= Number(value);
    }
    if (key === "is-official") return (hit: SearchHit) => hit.official === (value !== "false");
    if (key === "is-automated") return (hit: SearchHit) => hit.automated === (value !== "false");
    throw new UsageError(`invalid filter type ${JSON.stringify(`${key}=${value}`)}`, 125, true);
  });
  return (hit) => tests.every((test) => test(hit));
}

function document({ domain, hit }: Found) {
  const mark = (is: boolean) => (is ? "[OK]" : "");
  return {
    Index: domain,
    Name: `${domain}/${hit.name}`,
    Description: hit.description,
    Stars: hit.stars,
    Official: mark(hit.official),
    Automated: mark(hit.automated),
    Tag: "",
  };
}

function row(found: Found, whole: boolean): Methods {
  const { Description, Stars, ...texts } = document(found);
  const plain = Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, () => value]));
  return new Methods("searchParams", {
    ...plain,
    Stars: () => Stars,
    Description: () => (whole ? Description : ellipsis(Description.replaceAll("\n", " "), WIDTH)),
  });
}

async function tagsText(
  clients: RegistryClients,
  term: string,
  format: string,
  limit: number | undefined,
): Promise<string> {
  const reference = parseReference(term);
  const all = await untilInterrupted((signal) => new Repository(clients, reference).tags({ signal }), undefined);
  const tags = all.slice(0, limit);
  const name = `${reference.domain}/${reference.path}`;
  if (format === "json") return `${JSON.stringify([{ Name: name, Tags: tags }], null, 4)}\n`;
  const rows = tags.map((tag) => new Methods("listEntryTag", { Name: () => name, Tag: () => tag }));
  return renderListing({
    format: format === "" || format === "table" ? "table {{.Name}}\t{{.Tag}}" : format,
    rows,
    headings,
  });
}
