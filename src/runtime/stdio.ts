import { CWD, NONE, resolveKind } from "../recipe/ops.ts";
import { type ShimSettings, type Step, step } from "../recipe/recipe.ts";
import type { ProcessConfig } from "../spec/runtime.ts";
import type { HostIds } from "./id-maps.ts";
import { flag, slot } from "./slots.ts";
import type { ConsoleTarget, Managed } from "./types.ts";

/** The steps and shim slots of a process's three streams: pipes, or a pseudo-terminal of the container's own devpts. */
export interface Stdio {
  /** Outside, before the clone. */
  readonly before: readonly Step[];
  /** Outside, once the inside is under way. */
  readonly after: readonly Step[];
  /** Inside, when /dev/pts is there and before the root is entered. */
  readonly terminal: readonly Step[];
  /** Inside, just before the exec. */
  readonly last: readonly Step[];
  readonly shim: ShimSettings["stdio"];
}

export interface StdioOptions {
  readonly openStdin: boolean;
  /** /dev/console is to be made: for a container's first process, not for an exec. */
  readonly console: boolean;
  /** Who is to own the pipes; undefined leaves them to the host's root. */
  readonly owner: HostIds | undefined;
  /** The streams are the caller's. */
  readonly managed: Managed | undefined;
}

export function compileStdio(process: ProcessConfig, options: StdioOptions): Stdio {
  if (process.terminal === true) return terminalStdio(process, options);
  return options.managed === undefined ? pipeStdio(options) : inheritedStdio(process);
}

/** As the process itself numbers users: it does this in its own namespaces. */
function inheritedStdio({ user }: ProcessConfig): Stdio {
  const own = step("own_stdio", [user.uid, user.gid], { cause: "process.user (standard streams)" });
  const reopen = step("reopen_null", [], { cause: "standard streams (/dev/null of the container)" });
  return { before: [], after: [], terminal: [own], last: [reopen], shim: {} };
}

function pipeStdio({ openStdin, owner }: StdioOptions): Stdio {
  const cause = "process.terminal (false)";
  const before: Step[] = [];
  const after: Step[] = [];
  const add = (read: string, write: string, given: string): void => {
    before.push(step("pipe", [read, write, flag.O_CLOEXEC], { cause }));
    before.push(...giveTo(owner, given));
    after.push(step("close", [given], { cause }));
  };
  if (openStdin) add(slot.stdinRead, slot.stdinWrite, slot.stdinRead);
  add(slot.stdoutRead, slot.stdoutWrite, slot.stdoutWrite);
  add(slot.stderrRead, slot.stderrWrite, slot.stderrWrite);
  return {
    before,
    after,
    terminal: [],
    last: [step("set_stdio", [openStdin ? slot.stdinRead : NONE, slot.stdoutWrite, slot.stderrWrite], { cause })],
    shim: { ...(openStdin ? { stdin: slot.stdinWrite } : {}), stdout: slot.stdoutRead, stderr: slot.stderrRead },
  };
}

/** A process that is not the host's root may open /dev/stdout again, as it may under every other runtime. */
function giveTo(owner: HostIds | undefined, name: string): Step[] {
  if (owner === undefined || (owner.uid === 0 && owner.gid === 0)) return [];
  return [step("fchownat", [name, "", owner.uid, owner.gid, flag.AT_EMPTY_PATH], { cause: "process.user" })];
}

function terminalStdio({ consoleSize: size, user }: ProcessConfig, { console, managed }: StdioOptions): Stdio {
  const cause = "process.terminal";
  const terminal = [
    step("open_ptmx", [console ? slot.root : CWD, "/dev/pts/ptmx"], { out: slot.master, cause }),
    step("pty_peer", [slot.master], { out: slot.tty, cause }),
    step("fchownat", [slot.tty, "", user.uid, -1, flag.AT_EMPTY_PATH], { cause: "process.user.uid" }),
    step("send_fd", [slot.master], { cause }),
  ];
  if (size !== undefined) {
    terminal.push(step("set_window_size", [slot.master, size.height, size.width], { cause: "process.consoleSize" }));
  }
  if (console) terminal.push(...makeConsole());
  return {
    before: [],
    after: [step("recv_fd", [], { out: slot.master, cause }), ...handOver(managed?.console)],
    terminal,
    last: [
      step("set_controlling_tty", [slot.tty], { cause }),
      step("set_stdio", [slot.tty, slot.tty, slot.tty], { cause }),
    ],
    shim: { tty: slot.master },
  };
}

function handOver(target: ConsoleTarget | undefined): Step[] {
  if (target === undefined) return [];
  if (target.kind === "socket") {
    return [step("send_console", [target.path, slot.master], { cause: `--console-socket ${target.path}` })];
  }
  const cause = "process.terminal (relayed by the runtime)";
  return [
    step("passed_fd", [], { out: slot.console, cause }),
    step("send_console_to", [slot.console, slot.master], { cause }),
  ];
}

function makeConsole(): Step[] {
  const cause = "process.terminal (/dev/console)";
  const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_EMPTY_PATH;
  const both = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;
  return [
    step("resolve", [slot.root, "/dev/console", resolveKind.file, 0o600], { out: slot.target, cause }),
    step("open_tree", [slot.tty, "", clone], { out: slot.mount, cause }),
    step("move_mount", [slot.mount, "", slot.target, "", both], { cause }),
  ];
}
