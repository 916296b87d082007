import { bool } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";
import { criuFlags, refuseCriu } from "./criu-flags.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Checkpoint a running container (not supported yet)",
  flags: { ...criuFlags, "leave-running": bool({ usage: "Leave the process running after checkpointing" }) },
  args: { least: 1, most: 1 },
  run: ({ args: [id = ""] }) => refuseCriu("checkpoint", id),
});
