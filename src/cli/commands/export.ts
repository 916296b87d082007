import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { writeArchive } from "../shared/write-archive.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Export a container's filesystem as a tar archive",
  flags: { output: string({ short: "o", usage: "Write to a file, instead of STDOUT" }) },
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [name = ""] }) {
    const { containers } = await cli.engine();
    const { id } = await containers.get(name);
    await writeArchive(cli, containers.export(id), flags.output);
    return 0;
  },
});
