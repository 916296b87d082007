import { parseDigest } from "../../image/digest.ts";
import { withoutEntry } from "../../image/lists/manifest-list.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand({
  usage: "LIST DIGEST",
  summary: "Remove an image from a manifest list",
  flags: {},
  args: { least: 2, most: 2 },
  failureStatus: 125,
  async run({ cli, args: [name = "", digest = ""] }) {
    const lists = await (await cli.engine()).manifestLists();
    parseDigest(digest);
    cli.out(`${lists.update(name, (list) => withoutEntry(list, digest)).id}\n`);
    return 0;
  },
});
