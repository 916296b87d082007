import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { exactHistoryTable, historyHeadings, historyRow, historyTable } from "../rows/history-row.ts";
import { listFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Show the history of an image",
  flags: {
    format: listFormat(),
    human: bool({ short: "H", usage: "Print sizes and dates in human readable format", initial: true }),
    "no-trunc": bool({ usage: "Don't truncate output" }),
    platform: string({ usage: "Show the history of an image that is for the platform (os[/arch[/variant]])" }),
    quiet: bool({ short: "q", usage: "Only show image IDs" }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [reference = ""] }) {
    const { images } = await cli.engine();
    if (flags.platform !== "") images.get(reference, { platform: flags.platform });
    const options = { truncate: !flags["no-trunc"], human: flags.human, now: Date.now() };
    const rows = images.history(reference).map((row) => historyRow(row, options));
    const isTable = flags.format === "" || flags.format === "table";
    const table = flags.quiet ? "{{.ID}}" : flags.human ? historyTable : exactHistoryTable;
    cli.out(renderListing({ format: isTable ? table : flags.format, rows, headings: historyHeadings }));
    return 0;
  },
});
