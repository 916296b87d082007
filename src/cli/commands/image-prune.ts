import { defineCommand } from "../command.ts";
import { bool, filter } from "../flags/kinds.ts";
import { humanSize } from "../format/units.ts";
import { confirm } from "../shared/prompt.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused images",
  flags: {
    all: bool({ short: "a", usage: "Remove all unused images, not just dangling ones" }),
    filter: filter({ usage: 'Provide filter values (e.g. "until=<timestamp>")' }),
    force: bool({ short: "f", usage: "Do not prompt for confirmation" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const which = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    if (!flags.force && !(await confirm(cli, `WARNING! This will remove ${which}.`))) return 0;
    const { images } = await cli.engine();
    const { removed, reclaimed } = await images.prune({ all: flags.all, filters: flags.filter });
    const lines = removed.map((one) =>
      "deleted" in one ? `deleted: ${one.deleted}\n` : `untagged: ${one.untagged}\n`,
    );
    if (removed.length > 0) cli.out(`Deleted Images:\n${lines.join("")}\n`);
    cli.out(`Total reclaimed space: ${humanSize(reclaimed)}\n`);
    return 0;
  },
});
