import { toGalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { forEachNamed } from "../shared/each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
  flags: { force: bool({ short: "f", usage: "Force the removal of one or more volumes" }) },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const { volumes } = await cli.engine();
    return forEachNamed(cli, args, async (name) => {
      try {
        await volumes.remove(name);
      } catch (failure) {
        if (!flags.force || toGalleyError(failure).code !== "not_found") throw failure;
      }
    });
  },
});
