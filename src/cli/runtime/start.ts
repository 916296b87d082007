import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "<container-id>",
  summary: "Execute the user defined process in a created container",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ root, native, args: [id = ""] }) {
    const [{ homeOf }, { startContainer }] = await Promise.all([
      import("../../runtime/oci/home.ts"),
      import("../../runtime/oci/start.ts"),
    ]);
    await startContainer(homeOf(root, id), native());
    return 0;
  },
});
