import type { ContainerFilters } from "../../engine/types.ts";
import { defineCommand } from "../command.ts";
import { bool, filter, int } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { containerHeadings, containerRaw, containerRow, containerTable } from "../rows/container-row.ts";
import { listFormat } from "../shared/list-flags.ts";

const flags = {
  all: bool({ short: "a", usage: "Show all containers (default shows just running)" }),
  filter: filter({ short: "f", usage: "Filter output based on conditions provided" }),
  format: listFormat(),
  last: int({ short: "n", usage: "Show n last created containers (includes all states)", shownDefault: "-1" }),
  latest: bool({ short: "l", usage: "Show the latest created container (includes all states)" }),
  "no-trunc": bool({ usage: "Don't truncate output" }),
  quiet: bool({ short: "q", usage: "Only display container IDs" }),
  size: bool({ short: "s", usage: "Display total file sizes" }),
};

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List containers",
  flags,
  args: { most: 0 },
  async run({ cli, flags }) {
    const format = await chooseFormat(flags, cli.env);
    if (flags.quiet && flags.format !== "") {
      cli.err("WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
    }
    const { containers } = await cli.engine();
    const size = flags.size || (!flags.quiet && /\.Size\b/.test(format));
    const found = await containers.list(query(flags, size));
    const options = { truncate: !flags["no-trunc"], now: Date.now() };
    const sizes = size ? await (await import("../shared/sizes.ts")).containerSizes(containers, found) : undefined;
    const rows = found.map((one) => containerRow(one, sizes === undefined ? options : { ...options, sizeOf: sizes }));
    cli.out(renderListing({ format, rows, headings: containerHeadings }));
    return 0;
  },
});

type Values = Parameters<typeof query>[0];

function query(
  flags: {
    readonly all: boolean;
    readonly filter: Readonly<Record<string, readonly string[]>>;
    readonly last: number | undefined;
    readonly latest: boolean;
  },
  size: boolean,
): ContainerFilters {
  const last = flags.last !== undefined && flags.last >= 0 ? flags.last : flags.latest ? 1 : undefined;
  return {
    all: flags.all || last !== undefined,
    filters: flags.filter,
    ...(last === undefined ? {} : { last }),
    ...(size ? { size } : {}),
  };
}

async function chooseFormat(
  flags: Values & { readonly format: string; readonly quiet: boolean; readonly size: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (flags.quiet) return flags.format === "raw" ? "container_id: {{.ID}}" : "{{.ID}}";
  const custom = flags.format === "" ? await configured(env) : flags.format;
  if (custom === "raw") return flags.size ? `${containerRaw}size: {{.Size}}\n` : containerRaw;
  if (custom !== "" && custom !== "table") return custom;
  return flags.size ? `${containerTable}\t{{.Size}}` : containerTable;
}

async function configured(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { dockerConfig } = await import("../shared/docker-config.ts");
  return dockerConfig(env).psFormat ?? "";
}
