import { switchContainer } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { defineRuntimeCommand, type RuntimeCommand } from "./command.ts";

/** `pause` and `resume`: the same but for what is done. */
export function switchCommand(which: "pause" | "resume", summary: string): RuntimeCommand {
  return defineRuntimeCommand({
    usage: "<container-id>",
    summary,
    flags: {},
    args: { least: 1, most: 1 },
    async run({ root, native, args: [id = ""] }) {
      await switchContainer(homeOf(root, id), native(), which);
      return 0;
    },
  });
}
