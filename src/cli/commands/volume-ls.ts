import { defineCommand } from "../command.ts";
import { bool, filter } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { volumeHeadings, volumeRow, volumeTable } from "../rows/volume-row.ts";
import { listFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List volumes",
  flags: {
    filter: filter({ short: "f", usage: 'Provide filter values (e.g. "dangling=true")' }),
    format: listFormat(),
    quiet: bool({ short: "q", usage: "Only display volume names" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const { volumes } = await cli.engine();
    const rows = (await volumes.list(flags.filter)).map(volumeRow);
    const custom = flags.format === "" || flags.format === "table" ? volumeTable : flags.format;
    cli.out(renderListing({ format: flags.quiet ? "{{.Name}}" : custom, rows, headings: volumeHeadings }));
    return 0;
  },
});
