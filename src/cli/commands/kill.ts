import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { forEachNamed } from "../shared/each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Kill one or more running containers",
  flags: { signal: string({ short: "s", usage: "Signal to send to the container" }) },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const { containers } = await cli.engine();
    return forEachNamed(cli, args, (name) => containers.kill(name, flags.signal === "" ? undefined : flags.signal));
  },
});
