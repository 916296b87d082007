import { defineCommand } from "../command.ts";
import { bool, filter } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { volumeHeadings, volumeRaw, volumeRow, volumeTable } from "../rows/volume-row.ts";
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
    cli.out(renderListing({ format: chooseFormat(flags), rows, headings: volumeHeadings }));
    return 0;
  },
});

/** As docker's, whose --quiet shortens the table and `raw`, and changes no template. */
function chooseFormat({ format, quiet }: { readonly format: string; readonly quiet: boolean }): string {
  if (format === "raw") return quiet ? "name: {{.Name}}" : volumeRaw;
  if (format !== "" && format !== "table") return format;
  return quiet ? "{{.Name}}" : volumeTable;
}
