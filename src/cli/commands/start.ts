import type { Cli, CliEngine } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { reportOne } from "../report.ts";
import { type AttachSettings, detachKeys, stayAttached } from "../shared/attached.ts";
import { endStatus } from "../shared/end-status.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start one or more stopped containers",
  flags: {
    attach: bool({ short: "a", usage: "Attach STDOUT/STDERR and forward signals" }),
    "detach-keys": string({ usage: "Override the key sequence for detaching a container" }),
    interactive: bool({ short: "i", usage: "Attach container's STDIN" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args }) {
    const attach = flags.attach || flags.interactive;
    const keys = await detachKeys(cli, flags["detach-keys"], attach);
    const engine = await cli.engine();
    if (!attach) return startAll(cli, engine, args);
    const [name = "", ...more] = args;
    if (more.length > 0) throw new UsageError("you cannot start and attach multiple containers at once", 1, true);
    return startAttached(cli, engine, name, { interactive: flags.interactive, keys });
  },
});

/** One after the other, in the order in which they were named. */
async function startAll(cli: Cli, { containers }: CliEngine, names: readonly string[]): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      await containers.start(name);
      cli.out(`${name}\n`);
    } catch (failure) {
      reportOne(cli, failure);
      status = 1;
    }
  }
  return status;
}

async function startAttached(
  cli: Cli,
  engine: CliEngine,
  name: string,
  { interactive, keys }: { readonly interactive: boolean; readonly keys: Uint8Array },
): Promise<number> {
  const { id, spec } = await engine.containers.get(name);
  const tty = spec.tty === true;
  const stdin = interactive && spec.openStdin === true;
  const settings: AttachSettings = { stdin, stdout: true, stderr: true, tty, proxy: !tty, keys };
  const attach = { stdin, output: true };
  const end = await stayAttached(cli, settings, async (consoleSize) => {
    const started = await engine.containers.start(id, {
      attach,
      ...(consoleSize === undefined ? {} : { consoleSize }),
    });
    // It was running already.
    return started ?? engine.containers.attach(id, attach);
  });
  return endStatus(cli, engine, { container: id, end, removed: spec.autoRemove === true });
}
