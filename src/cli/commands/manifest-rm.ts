import { toGalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { describeRemoved } from "../rows/removed.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST [LIST...]",
  summary: "Remove manifest lists; their images stay",
  flags: { ignore: bool({ short: "i", usage: "Ignore errors when a specified list is missing" }) },
  args: { least: 1 },
  failureStatus: 125,
  async run({ cli, flags, args }) {
    const lists = await (await cli.engine()).manifestLists();
    let status = 0;
    for (const name of args) {
      try {
        for (const item of lists.remove(name)) cli.out(`${describeRemoved(item)}\n`);
      } catch (failure) {
        if (flags.ignore && toGalleyError(failure).code === "not_found") continue;
        reportOne(cli, failure);
        status = 1;
      }
    }
    return status;
  },
});
