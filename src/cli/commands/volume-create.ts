import { defineCommand } from "../command.ts";
import { list, map, string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  summary: "Create a volume",
  flags: {
    driver: string({ short: "d", usage: "Specify volume driver name", initial: "local" }),
    label: list({ usage: "Set metadata for a volume" }),
    opt: map({ short: "o", usage: "", hidden: true }),
  },
  args: { most: 1 },
  async run({ cli, flags, args: [name], changed }) {
    if (flags.driver !== "local")
      throw new UsageError(`no volume driver named '${flags.driver}': it must be local`, 1, true);
    if (changed.has("opt")) throw new UsageError("--opt is not supported: volumes are plain directories", 1, true);
    const { volumes } = await cli.engine();
    const labels = Object.fromEntries(flags.label.map(pair));
    cli.out(`${(await volumes.create(name, labels)).name}\n`);
    return 0;
  },
});

function pair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
