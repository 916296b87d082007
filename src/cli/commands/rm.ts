import { toGalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { forEach } from "../shared/each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove one or more containers",
  flags: {
    force: bool({ short: "f", usage: "Force the removal of a running container (uses SIGKILL)" }),
    volumes: bool({ short: "v", usage: "Remove anonymous volumes associated with the container" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const { containers } = await cli.engine();
    return forEach(cli, args, async (name) => {
      try {
        await containers.remove(name, { force: flags.force, volumes: flags.volumes });
        return name;
      } catch (failure) {
        // What is not there need not be removed: docker says so and counts it as done.
        if (!flags.force || toGalleyError(failure).code !== "not_found") throw failure;
        reportOne(cli, failure);
        return undefined;
      }
    });
  },
});
