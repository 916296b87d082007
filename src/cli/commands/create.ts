import { defineCommand } from "../command.ts";
import { containerFlags } from "../container-flags/flags.ts";
import { createContainer, specOf } from "../shared/create.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create a new container",
  flags: containerFlags,
  args: { least: 1 },
  interspersed: false,
  failureStatus: 125,
  async run({ cli, flags, args, changed }) {
    // docker's create asks for the streams, so that the client that starts it can have them.
    const request = { values: flags, args, changed, detached: false };
    const spec = await specOf(cli, request);
    const engine = await cli.engine();
    if (flags.plan) {
      const { describeRecipe } = await import("../../recipe/describe.ts");
      cli.out(describeRecipe(await engine.containers.plan(spec)));
      return 0;
    }
    cli.out(`${await createContainer(cli, engine, spec, request)}\n`);
    return 0;
  },
});
