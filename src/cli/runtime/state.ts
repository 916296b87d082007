import { homeOf } from "../../runtime/oci/home.ts";
import { stateOf } from "../../runtime/oci/state.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "<container-id>",
  summary: "Output the state of a container",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, root, args: [id = ""] }) {
    cli.out(`${JSON.stringify(stateOf(homeOf(root, id)), undefined, 2)}\n`);
    return 0;
  },
});
