import { defineRuntimeCommand } from "./command.ts";
import { criuFlags, refuseCriu } from "./criu-flags.ts";
import { createFlags } from "./process-flags.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Restore a container from a previous checkpoint (not supported yet)",
  flags: { ...createFlags, ...criuFlags },
  args: { least: 1, most: 1 },
  run: ({ args: [id = ""] }) => refuseCriu("restore", id),
});
