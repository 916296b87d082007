import type { ContainerSpec } from "../../engine/types.ts";
import { toGalleyError } from "../../errors.ts";
import type { Cli, CliEngine } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { containerFlags } from "../container-flags/flags.ts";
import { attachedStreams, type ContainerRequest } from "../container-flags/spec.ts";
import { bool, string } from "../flags/kinds.ts";
import {
  type AttachSettings,
  detachKeys,
  requireAttachment,
  requireTerminal,
  stayAttached,
} from "../shared/attached.ts";
import { createContainer, specOf } from "../shared/create.ts";
import { endStatus } from "../shared/end-status.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create and run a new container from an image",
  flags: {
    ...containerFlags,
    detach: bool({ short: "d", usage: "Run container in background and print container ID" }),
    "detach-keys": string({ usage: "Override the key sequence for detaching a container" }),
    "sig-proxy": bool({ usage: "Proxy received signals to the process", initial: true }),
  },
  args: { least: 1 },
  interspersed: false,
  failureStatus: 125,
  async run({ cli, flags, args, changed }) {
    if (flags.detach && flags.attach.length > 0) {
      throw new UsageError("conflicting options: cannot specify both --attach and --detach", 1, true);
    }
    const request: ContainerRequest = { values: flags, args, changed, detached: flags.detach };
    const settings = attachSettings(flags, await detachKeys(cli, flags["detach-keys"], flags.tty && flags.interactive));
    const spec = await specOf(cli, request);
    if (flags.plan) return printPlan(cli, spec);
    if (!flags.detach) requireTerminal(cli, settings.stdin, settings.tty);
    const engine = await cli.engine();
    return flags.detach ? runDetached(cli, engine, spec, request) : runAttached(cli, engine, spec, request, settings);
  },
});

function attachSettings(
  flags: {
    readonly attach: readonly string[];
    readonly interactive: boolean;
    readonly tty: boolean;
    readonly "sig-proxy": boolean;
  },
  keys: Uint8Array,
): AttachSettings {
  const streams = attachedStreams(flags);
  return {
    stdin: streams.includes("stdin"),
    stdout: streams.includes("stdout"),
    stderr: streams.includes("stderr"),
    tty: flags.tty,
    proxy: flags["sig-proxy"],
    keys,
  };
}

async function printPlan(cli: Cli, spec: ContainerSpec): Promise<number> {
  const [{ containers }, { describeRecipe }] = await Promise.all([cli.engine(), import("../../recipe/describe.ts")]);
  cli.out(describeRecipe(await containers.plan(spec)));
  return 0;
}

async function runDetached(
  cli: Cli,
  engine: CliEngine,
  spec: ContainerSpec,
  request: ContainerRequest,
): Promise<number> {
  const id = await createContainer(cli, engine, spec, request, { toStart: true });
  await startOrRemove(engine, spec, id, () => engine.containers.start(id));
  cli.out(`${id}\n`);
  return 0;
}

async function runAttached(
  cli: Cli,
  engine: CliEngine,
  spec: ContainerSpec,
  request: ContainerRequest,
  settings: AttachSettings,
): Promise<number> {
  const id = await createContainer(cli, engine, spec, request, { toStart: true });
  const attach = { stdin: settings.stdin, output: settings.stdout || settings.stderr };
  const end = await stayAttached(cli, settings, (consoleSize) => {
    const options = { attach, ...(consoleSize === undefined ? {} : { consoleSize }) };
    const start = async () => requireAttachment(await engine.containers.start(id, options));
    return startOrRemove(engine, spec, id, start);
  });
  return endStatus(cli, engine, { container: id, end, removed: spec.autoRemove === true });
}

/** A container that goes when it ends goes too when it cannot begin. */
async function startOrRemove<T>(
  { containers }: CliEngine,
  spec: ContainerSpec,
  id: string,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (failure) {
    const error = toGalleyError(failure);
    if (spec.autoRemove !== true) throw error;
    try {
      await containers.remove(id, { force: true, volumes: true });
    } catch (second) {
      if (toGalleyError(second).code !== "not_found") error.cleanup.push(second);
    }
    throw error;
  }
}
