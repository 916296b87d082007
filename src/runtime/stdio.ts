import { CWD, NONE, resolveKind } from "../recipe/ops.ts";
import { type ShimSettings, type Step, step } from "../recipe/recipe.ts";
import type { ProcessConfig } from "../spec/runtime.ts";
import { flag, slot } from "./slots.ts";

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

/** @param console whether /dev/console is to be made: for a container's first process, not for an exec */
export function compileStdio(process: ProcessConfig, openStdin: boolean, console: boolean): Stdio {
  return process.terminal === true ? terminalStdio(process, console) : pipeStdio(process, openStdin);
}

function pipeStdio(process: ProcessConfig, openStdin: boolean): Stdio {
  const cause = "process.terminal (false)";
  const pipe = (read: string, write: string): Step => step("pipe", [read, write, flag.O_CLOEXEC], { cause });
  const stdin = openStdin ? [pipe(slot.stdinRead, slot.stdinWrite)] : [];
  const owned = [...(openStdin ? [slot.stdinRead] : []), slot.stdoutWrite, slot.stderrWrite];
  return {
    before: [...stdin, pipe(slot.stdoutRead, slot.stdoutWrite), pipe(slot.stderrRead, slot.stderrWrite)],
    after: owned.map((name) => step("close", [name], { cause })),
    terminal: owned.flatMap((name) => giveTo(process, name)),
    last: [step("set_stdio", [openStdin ? slot.stdinRead : NONE, slot.stdoutWrite, slot.stderrWrite], { cause })],
    shim: { ...(openStdin ? { stdin: slot.stdinWrite } : {}), stdout: slot.stdoutRead, stderr: slot.stderrRead },
  };
}

/** A process that is not root may open /dev/stdout again, as it may under every other runtime. */
function giveTo(process: ProcessConfig, name: string): Step[] {
  if (process.user.uid === 0) return [];
  return [
    step("fchownat", [name, "", process.user.uid, process.user.gid, flag.AT_EMPTY_PATH], { cause: "process.user" }),
  ];
}

function terminalStdio(process: ProcessConfig, console: boolean): Stdio {
  const cause = "process.terminal";
  const size = process.consoleSize;
  const terminal = [
    step("open_ptmx", [console ? slot.root : CWD, "/dev/pts/ptmx"], { out: slot.master, cause }),
    step("pty_peer", [slot.master], { out: slot.tty, cause }),
    ...(size === undefined
      ? []
      : [step("set_window_size", [slot.master, size.height, size.width], { cause: "process.consoleSize" })]),
    step("fchownat", [slot.tty, "", process.user.uid, -1, flag.AT_EMPTY_PATH], { cause: "process.user.uid" }),
    ...(console ? makeConsole() : []),
    step("send_fd", [slot.master], { cause }),
  ];
  return {
    before: [],
    after: [step("recv_fd", [], { out: slot.master, cause })],
    terminal,
    last: [
      step("set_controlling_tty", [slot.tty], { cause }),
      step("set_stdio", [slot.tty, slot.tty, slot.tty], { cause }),
    ],
    shim: { tty: slot.master },
  };
}

function makeConsole(): Step[] {
  const cause = "process.terminal (/dev/console)";
  const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_EMPTY_PATH;
  const both = flag.MOVE_MOUNT_F_EMPTY_PATH | flag.MOVE_MOUNT_T_EMPTY_PATH;
  return [
    step("resolve", [slot.root, "/dev/console", resolveKind.file, 0o600], { out: slot.target, cause }),
    step("open_tree", [slot.tty, "", clone], { out: slot.mount, cause }),
    step("move_mount", [slot.mount, "", slot.target, "", both], { cause }),
    step("close", [slot.mount], { cause }),
    step("close", [slot.target], { cause }),
  ];
}
