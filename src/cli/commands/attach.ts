import type { Container } from "../../engine/types.ts";
import { GalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { type AttachSettings, detachKeys, requireTerminal, stayAttached } from "../shared/attached.ts";
import { endStatus } from "../shared/end-status.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Attach local standard input, output, and error streams to a running container",
  flags: {
    "detach-keys": string({ usage: "Override the key sequence for detaching a container" }),
    "no-stdin": bool({ usage: "Do not attach STDIN" }),
    "sig-proxy": bool({ usage: "Proxy all received signals to the process", initial: true }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [name = ""] }) {
    const keys = await detachKeys(cli, flags["detach-keys"], true);
    const engine = await cli.engine();
    const container = await engine.containers.get(name);
    requireRunning(container);
    const tty = container.spec.tty === true;
    requireTerminal(cli, !flags["no-stdin"], tty);
    const stdin = !flags["no-stdin"] && container.spec.openStdin === true;
    const proxy = flags["sig-proxy"] && !tty;
    const settings: AttachSettings = { stdin, stdout: true, stderr: true, tty, proxy, keys, redraw: true };
    const end = await stayAttached(cli, settings, () =>
      engine.containers.attach(container.id, { stdin, output: true }),
    );
    if (end.kind === "detached") return detachedStatus(cli);
    return endStatus(cli, engine, { container: container.id, end, removed: false });
  },
});

/** docker's attach and exec tell that they were left, unlike run and start. */
export function detachedStatus(cli: { err(text: string): void }): number {
  cli.err("read escape sequence\n");
  return 1;
}

const remedies: Readonly<Partial<Record<Container["state"], readonly [string, string]>>> = {
  paused: ["a paused container", "unpause it first"],
  restarting: ["a restarting container", "wait until it is running"],
};

function requireRunning({ state, name }: Container): void {
  if (state === "running") return;
  const [what, remedy] = remedies[state] ?? ["a stopped container", "start it first"];
  throw new GalleyError("failed_precondition", `cannot attach to ${what}, ${remedy}`, { subject: name });
}
