import { switchContainer } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER-ID",
  summary: "Resume all processes that have been previously paused",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ root, native, args: [id = ""] }) {
    await switchContainer(homeOf(root, id), native(), "resume");
    return 0;
  },
});
