import { defineCommand } from "../command.ts";
import { bool, filter } from "../flags/kinds.ts";
import { humanSize } from "../format/units.ts";
import { confirm } from "../shared/prompt.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused local volumes",
  flags: {
    all: bool({ short: "a", usage: "Remove all unused volumes, not just anonymous ones" }),
    filter: filter({ usage: 'Provide filter values (e.g. "label=<label>")' }),
    force: bool({ short: "f", usage: "Do not prompt for confirmation" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const which = flags.all ? "all local volumes" : "anonymous local volumes";
    const warning = `WARNING! This will remove ${which} not used by at least one container.`;
    if (!flags.force && !(await confirm(cli, warning))) return 0;
    const { volumes } = await cli.engine();
    const { removed, reclaimed } = await volumes.prune({ all: flags.all, filters: flags.filter });
    if (removed.length > 0) cli.out(`Deleted Volumes:\n${removed.map((name) => `${name}\n`).join("")}\n`);
    cli.out(`Total reclaimed space: ${humanSize(reclaimed)}\n`);
    return 0;
  },
});
