import { defineCommand } from "../command.ts";
import { UsageError } from "../usage-error.ts";

const shells = ["bash", "zsh", "fish"] as const;

export const command = defineCommand({
  usage: "bash|zsh|fish",
  summary: "Generate the autocompletion script for a shell",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, args: [name] }) {
    const shell = shells.find((one) => one === name);
    if (shell === undefined) throw new UsageError(`no completion for '${name}': it must be ${shells.join(", ")}`, 1);
    const { collectWords } = await import("../completion/words.ts");
    const { completionScript } = await import("../completion/script.ts");
    cli.out(completionScript(shell, await collectWords()));
    return 0;
  },
});
