import { release } from "node:os";
import { defineCommand } from "../command.ts";
import { inspectRenderer } from "../format/inspect-render.ts";
import { documentFormat } from "../shared/list-flags.ts";
import { architecture } from "../shared/platform.ts";
import { version } from "../version.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the version information",
  flags: { format: documentFormat() },
  args: { most: 0 },
  async run({ cli, flags }) {
    const facts = {
      Version: version,
      BunVersion: Bun.version,
      Os: "linux",
      Arch: architecture(),
      KernelVersion: release(),
    };
    // There is no server: what scripts ask of docker's is answered by the program itself.
    if (flags.format === "json") cli.out(`${JSON.stringify({ Client: facts, Server: facts })}\n`);
    else if (flags.format !== "") cli.out(render(flags.format, { Client: facts, Server: facts }));
    else cli.out(text(facts));
    return 0;
  },
});

function render(format: string, document: Record<string, unknown>): string {
  const renderer = inspectRenderer(format);
  renderer.add(document);
  return renderer.text();
}

function text(facts: { Version: string; BunVersion: string; Os: string; Arch: string; KernelVersion: string }): string {
  const rows = [
    ["Version", facts.Version],
    ["Bun version", facts.BunVersion],
    ["OS/Arch", `${facts.Os}/${facts.Arch}`],
    ["Kernel", facts.KernelVersion],
  ];
  return `Galley:\n${rows.map(([name, value]) => ` ${`${name}:`.padEnd(18)} ${value}\n`).join("")}`;
}
