import { switchContainer } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "CONTAINER-ID",
  summary: "Suspend all processes inside the container",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ root, native, args: [id = ""] }) {
    await switchContainer(homeOf(root, id), native(), "pause");
    return 0;
  },
});
