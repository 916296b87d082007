import { toGalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT [ARTIFACT...]",
  summary: "Remove artifacts from the store",
  flags: {
    all: bool({ short: "a", usage: "Remove all artifacts" }),
    ignore: bool({ short: "i", usage: "Ignore error if artifact does not exist" }),
  },
  args: {},
  failureStatus: 125,
  async run({ cli, flags, args }) {
    if (args.length === 0 && !flags.all) throw new UsageError("a single argument must be specified", 125, true);
    if (args.length > 0 && flags.all)
      throw new UsageError("when using the --all switch, you may not pass any artifact names or digests", 125, true);
    const store = await (await cli.engine()).artifacts();
    const names = flags.all ? (await store.list()).map(({ name }) => name) : args;
    let status = 0;
    for (const name of names) {
      try {
        const digest = await store.alone(async () => {
          const artifact = await store.get(name);
          await store.remove(artifact);
          return artifact.digest;
        });
        cli.out(`${digest.slice(digest.indexOf(":") + 1)}\n`);
      } catch (failure) {
        if (flags.ignore && toGalleyError(failure).code === "not_found") continue;
        reportOne(cli, failure);
        status = 125;
      }
    }
    return status;
  },
});
