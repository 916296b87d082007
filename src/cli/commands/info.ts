import { readFileSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { inspectRenderer } from "../format/inspect-render.ts";
import { binarySize } from "../format/units.ts";
import { documentFormat } from "../shared/list-flags.ts";
import { version } from "../version.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Display system-wide information",
  flags: { format: documentFormat() },
  args: { most: 0 },
  async run({ cli, flags }) {
    const facts = await gather(cli);
    if (flags.format === "json") cli.out(`${JSON.stringify(facts)}\n`);
    else if (flags.format === "") cli.out(text(facts));
    else {
      const renderer = inspectRenderer(flags.format);
      renderer.add({ ...facts });
      cli.out(renderer.text());
    }
    return 0;
  },
});

type Facts = Awaited<ReturnType<typeof gather>>;

/** Under docker's names, as far as there is something to say. */
async function gather(cli: Cli) {
  const { containers, images } = await cli.engine();
  const all = await containers.list({ all: true });
  const count = (...states: readonly string[]) => all.filter((one) => states.includes(one.state)).length;
  return {
    Containers: all.length,
    ContainersRunning: count("running", "restarting"),
    ContainersPaused: count("paused"),
    ContainersStopped: count("created", "exited", "dead", "removing"),
    Images: images.list().length,
    ServerVersion: version,
    Driver: "overlay",
    LoggingDriver: "json-file",
    KernelVersion: release(),
    OperatingSystem: operatingSystem(),
    OSType: "linux",
    Architecture: process.arch === "arm64" ? "aarch64" : "x86_64",
    NCPU: cpus().length,
    MemTotal: totalmem(),
    Name: hostname(),
    DockerRootDir: cli.options.root,
    RunRoot: cli.options.runroot,
  };
}

/** os-release(5) */
function operatingSystem(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}

function text(facts: Facts): string {
  return `Containers: ${facts.Containers}
 Running: ${facts.ContainersRunning}
 Paused: ${facts.ContainersPaused}
 Stopped: ${facts.ContainersStopped}
Images: ${facts.Images}
Version: ${facts.ServerVersion}
Storage Driver: ${facts.Driver}
Logging Driver: ${facts.LoggingDriver}
Kernel Version: ${facts.KernelVersion}
Operating System: ${facts.OperatingSystem}
OSType: ${facts.OSType}
Architecture: ${facts.Architecture}
CPUs: ${facts.NCPU}
Total Memory: ${binarySize(facts.MemTotal)}
Name: ${facts.Name}
Root Dir: ${facts.DockerRootDir}
Run Root: ${facts.RunRoot}
`;
}
