import { defineCommand } from "../command.ts";
import { alignTabs } from "../format/tabwriter.ts";

export const command = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Display the running processes of a container",
  flags: {},
  args: { least: 1 },
  interspersed: false,
  async run({ cli, args: [name = "", ...options] }) {
    const { containers } = await cli.engine();
    const { titles, processes } = await containers.top(name, options);
    const lines = [titles, ...processes].map((cells) => `${cells.join("\t")}\n`);
    cli.out(alignTabs(lines.join(""), { least: 20, padding: 3 }));
    return 0;
  },
});
