import type { FileChange } from "../../engine/types.ts";
import { defineCommand } from "../command.ts";

const letters: Readonly<Record<FileChange["kind"], string>> = { changed: "C", added: "A", removed: "D" };

export const command = defineCommand({
  usage: "CONTAINER",
  summary: "Inspect changes to files or directories on a container's filesystem",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, args: [name = ""] }) {
    const { containers } = await cli.engine();
    const changes = await containers.diff(name);
    cli.out(changes.map(({ kind, path }) => `${letters[kind]} ${path}\n`).join(""));
    return 0;
  },
});
