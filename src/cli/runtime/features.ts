import { features } from "../../runtime/oci/features.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "",
  summary: "Show the enabled features",
  flags: {},
  args: { least: 0, most: 0 },
  async run({ cli }) {
    cli.out(`${JSON.stringify(features(), undefined, 2)}\n`);
    return 0;
  },
});
