import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { alignTabs } from "../format/tabwriter.ts";
import { humanSize } from "../format/units.ts";
import { usageDetails, usageLists } from "../rows/usage-details.ts";
import { usageHeadings, usageRows, usageTable } from "../rows/usage-row.ts";
import { listFormat } from "../shared/list-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show what images, containers and volumes take on the disk",
  flags: {
    format: listFormat(),
    verbose: bool({ short: "v", usage: "Show detailed information on space usage" }),
  },
  args: { most: 0 },
  async run({ cli, flags: { format, verbose } }) {
    const usage = await (await cli.engine()).usage();
    const isPlain = format === "" || format === "table";
    if (!verbose)
      cli.out(
        renderListing({ format: isPlain ? usageTable : format, rows: usageRows(usage), headings: usageHeadings }),
      );
    else if (!isPlain) cli.out(renderListing({ format, rows: [usageDetails(usage)], headings: {} }));
    else {
      for (const { title, listing } of usageLists(usage)) cli.out(`${title}\n\n${renderListing(listing)}\n`);
      cli.out(
        `Build cache usage: 0B\n\n${alignTabs("CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED\n")}`,
      );
      cli.out(`\nThe store's own records: ${humanSize(usage.rest)}\n`);
    }
    return 0;
  },
});
