import { killContainer } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { bool } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id> [signal]",
  summary: "Send the specified signal (default: SIGTERM) to the container's init process",
  flags: { all: bool({ short: "a", usage: "Send the signal to all processes of the container" }) },
  args: { least: 1, most: 2 },
  async run({ root, flags, args: [id = "", signal = "SIGTERM"] }) {
    await killContainer(homeOf(root, id), signal, flags.all);
    return 0;
  },
});
