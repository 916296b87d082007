/** The runtime's commands: those on the way of every container, and all others by the whole program. In the place of ../cli/runtime/table.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeCommand, RuntimeInvocation } from "../cli/runtime/command.ts";
import { handOver } from "./hand-over.ts";

type Load = () => Promise<{ readonly command: RuntimeCommand }>;

const everyday: Readonly<Record<string, Load>> = {
  create: () => import("../cli/runtime/create.ts"),
  delete: () => import("../cli/runtime/delete.ts"),
  exec: () => import("../cli/runtime/exec.ts"),
  kill: () => import("../cli/runtime/kill.ts"),
  run: () => import("../cli/runtime/run.ts"),
  start: () => import("../cli/runtime/start.ts"),
  state: () => import("../cli/runtime/state.ts"),
};

/** Loads all that the commands load when they run. */
export async function preload(): Promise<void> {
  await Promise.all(Object.values(everyday).map((load) => load()));
  await Promise.all([
    import("../runtime/oci/create.ts"),
    import("../runtime/oci/start.ts"),
    import("../runtime/oci/end.ts"),
    import("../linux/sys/sys.ts"),
    import("../linux/sys/become.ts"),
  ]);
}

/** Any other name, and the list of names: even what is no command is refused by the whole program, in its words. */
export const runtimeCommands: Readonly<Record<string, Load>> = new Proxy(everyday, {
  get(commands, name) {
    const load = commands[String(name)];
    if (load === undefined) handOver(String(name));
    return async () => ({ command: guarded((await load()).command) });
  },
  getOwnPropertyDescriptor(commands, name) {
    return Object.getOwnPropertyDescriptor(commands, name) ?? handOver(String(name));
  },
  ownKeys: () => handOver("help"),
});

/** The command, unless it is asked for what only the whole program has. */
function guarded(command: RuntimeCommand): RuntimeCommand {
  return {
    ...command,
    run(invocation) {
      if (needsWhole(invocation)) handOver("run");
      return command.run(invocation);
    },
  };
}

const MANY = 100;

/** A container that is in a unit of systemd's. */
const UNIT = '"unit":';

/** In small letters: the names of fields are known in any. */
const wholeFields = ['"hooks"', '"intelrdt"', '"scmp_act_notify"', '"listenerpath"'] as const;

/** Hooks run beside the start, service managers are spoken to over sockets, and so many descriptors leave no room for ours. */
function needsWhole({ globals, flags, root, args: [id = ""] }: RuntimeInvocation): boolean {
  const { NOTIFY_SOCKET, LISTEN_FDS } = process.env;
  const given = flags as { readonly bundle?: string; readonly "preserve-fds"?: number };
  if (globals["systemd-cgroup"] || NOTIFY_SOCKET !== undefined) return true;
  if ((given["preserve-fds"] ?? 0) > MANY || Number(LISTEN_FDS ?? 0) > MANY) return true;
  const home = join(root, id);
  const text = textOf(
    join(given.bundle === undefined ? home : given.bundle || process.cwd(), "config.json"),
  ).toLowerCase();
  return wholeFields.some((field) => text.includes(field)) || textOf(join(home, "state.json")).includes(UNIT);
}

/** Empty where it cannot be read: the command says why. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
