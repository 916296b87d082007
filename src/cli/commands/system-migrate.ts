import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "--to erofs|directories",
  summary: "Give all kept layers another form",
  flags: {
    to: string({ usage: '"erofs": the tar with an index that is mounted; "directories": unpacked' }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const { to } = flags;
    if (to !== "erofs" && to !== "directories") throw new UsageError("--to must be erofs or directories", 125, true);
    const { converted, inUse, onlyDirectories } = await (await cli.engine()).convertLayers(to);
    for (const diffId of converted) cli.out(`${diffId}\n`);
    for (const diffId of inUse) cli.err(`${diffId}: a running container stands on it; left as it is\n`);
    for (const diffId of onlyDirectories) cli.err(`${diffId}: an index has no form for it; it stays a directory\n`);
    return inUse.length === 0 ? 0 : 1;
  },
});
