import { defineCommand } from "../command.ts";
import { bool, list, string } from "../flags/kinds.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Create a new image from a container's changes",
  flags: {
    author: string({ short: "a", usage: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' }),
    change: list({ short: "c", usage: "Apply Dockerfile instruction to the created image" }),
    message: string({ short: "m", usage: "Commit message" }),
    pause: bool({ short: "p", usage: "Pause container during commit", initial: true }),
  },
  args: { least: 1, most: 2 },
  async run({ cli, flags, args: [container = "", name] }) {
    const { containers } = await cli.engine();
    const id = await containers.commit(container, {
      ...(name === undefined ? {} : { name }),
      ...(flags.author === "" ? {} : { author: flags.author }),
      ...(flags.message === "" ? {} : { message: flags.message }),
      changes: flags.change,
      pause: flags.pause,
    });
    cli.out(`${id}\n`);
    return 0;
  },
});
