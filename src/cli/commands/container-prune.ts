import type { Container } from "../../engine/types.ts";
import { defineCommand } from "../command.ts";
import { bool, filter } from "../flags/kinds.ts";
import { humanSize } from "../format/units.ts";
import { reportOne } from "../report.ts";
import { confirm } from "../shared/prompt.ts";
import { pruneTest } from "../shared/prune-filter.ts";
import { containerSizes } from "../shared/sizes.ts";

const ended = ["created", "exited", "dead"];

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all stopped containers",
  flags: {
    filter: filter({ usage: 'Provide filter values (e.g. "label=<label>")' }),
    force: bool({ short: "f", usage: "Do not prompt for confirmation" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const isChosen = pruneTest(flags.filter, Date.now());
    const warning = "WARNING! This will remove all stopped containers.";
    if (!flags.force && !(await confirm(cli, warning))) return 0;
    const { containers } = await cli.engine();
    const found = (await containers.list({ all: true, filters: { status: ended } })).filter(isChosen);
    const sizeOf = await containerSizes(containers, found);
    const removed: Container[] = [];
    for (const one of found) {
      try {
        await containers.remove(one.id, {});
        removed.push(one);
      } catch (failure) {
        reportOne(cli, failure);
      }
    }
    if (removed.length > 0) cli.out(`Deleted Containers:\n${removed.map((one) => `${one.id}\n`).join("")}\n`);
    cli.out(`Total reclaimed space: ${humanSize(removed.reduce((sum, one) => sum + sizeOf(one).written, 0))}\n`);
    return removed.length < found.length ? 1 : 0;
  },
});
