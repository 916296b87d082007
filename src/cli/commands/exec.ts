import type { ExecSpec } from "../../engine/types.ts";
import { GalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { environment, variable } from "../container-flags/environment.ts";
import { bool, list, string } from "../flags/kinds.ts";
import {
  type AttachSettings,
  detachKeys,
  requireAttachment,
  requireTerminal,
  stayAttached,
} from "../shared/attached.ts";
import { readOptionFile } from "../shared/option-file.ts";
import type { SessionEnd } from "../terminal/session.ts";

const flags = {
  detach: bool({ short: "d", usage: "Detached mode: run command in the background" }),
  "detach-keys": string({ usage: "Override the key sequence for detaching a container" }),
  env: list({ short: "e", usage: "Set environment variables" }, variable),
  "env-file": list({ usage: "Read in a file of environment variables" }),
  interactive: bool({ short: "i", usage: "Keep STDIN open even if not attached" }),
  privileged: bool({ usage: "Give extended privileges to the command" }),
  tty: bool({ short: "t", usage: "Allocate a pseudo-TTY" }),
  user: string({ short: "u", usage: 'Username or UID (format: "<name|uid>[:<group|gid>]")' }),
  workdir: string({ short: "w", usage: "Working directory inside the container" }),
};

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  flags,
  args: { least: 2 },
  interspersed: false,
  async run({ cli, flags, args: [name = "", ...words] }) {
    const keys = await detachKeys(cli, flags["detach-keys"], flags.tty && flags.interactive);
    const spec = execSpec(cli, flags, words);
    const { containers } = await cli.engine();
    if (flags.detach) {
      await containers.exec(name, { ...spec, detach: true });
      return 0;
    }
    const { interactive: stdin, tty } = flags;
    requireTerminal(cli, stdin, tty);
    const settings: AttachSettings = { stdin, stdout: true, stderr: true, tty, proxy: false, keys };
    const end = await stayAttached(cli, settings, async (consoleSize) =>
      requireAttachment(
        await containers.exec(name, { ...spec, ...(consoleSize === undefined ? {} : { consoleSize }) }),
      ),
    );
    return statusOf(cli, name, end);
  },
});

function execSpec(
  cli: Cli,
  flags: {
    readonly env: readonly string[];
    readonly "env-file": readonly string[];
    readonly interactive: boolean;
    readonly detach: boolean;
    readonly privileged: boolean;
    readonly tty: boolean;
    readonly user: string;
    readonly workdir: string;
  },
  words: readonly string[],
): ExecSpec {
  return {
    command: words,
    tty: flags.tty,
    stdin: flags.interactive && !flags.detach,
    env: environment(flags["env-file"], flags.env, { env: cli.env, readFile: readOptionFile }),
    privileged: flags.privileged,
    ...(flags.user === "" ? {} : { user: flags.user }),
    ...(flags.workdir === "" ? {} : { workingDir: flags.workdir }),
  };
}

function statusOf(cli: Cli, name: string, end: SessionEnd): number {
  switch (end.kind) {
    case "exit":
      return end.code;
    case "detached":
      cli.err("read escape sequence\n");
      return 1;
    case "broken-pipe":
      cli.err("galley: standard output was closed by its reader; the command goes on\n");
      return 1;
    case "lost":
      throw new GalleyError("unavailable", "the connection to the command was lost", { op: "exec", subject: name });
  }
}
