import { toGalleyError } from "../../errors.ts";
import { familiarName, parseReference } from "../../image/reference.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";

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
        const list = lists.remove(name);
        cli.out(`Untagged: ${familiarName(parseReference(list.name))}\nDeleted: ${list.id}\n`);
      } catch (failure) {
        if (flags.ignore && toGalleyError(failure).code === "not_found") continue;
        reportOne(cli, failure);
        status = 1;
      }
    }
    return status;
  },
});
