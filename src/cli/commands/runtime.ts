import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { runtimeFlags } from "../runtime/globals.ts";

export const command = defineCommand({
  usage: "[OPTIONS] COMMAND [ARG...]",
  summary: "Be the OCI runtime, with runc's commands",
  flags: { ...runtimeFlags, version: bool({ short: "v", usage: "Print the version" }) },
  args: {},
  interspersed: false,
  async run({ cli, flags, args, changed }) {
    const { runRuntime } = await import("../runtime/runtime.ts");
    const given = Object.entries(flags).filter(([name]) => changed.has(name));
    return runRuntime(cli, [...given.map(([name, value]) => `--${name}=${value}`), ...args]);
  },
});
