/** Galley in a store of its own: what a test starts here ends with {@link Store.cleanup}, whatever became of it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Leftovers, leftoversBelow, removeLeftovers } from "./leftovers.ts";
import { PipeSession, type Session, TerminalSession } from "./session.ts";

/** How a finished command ended. `status` is 128 and the signal's number where a signal ended it. */
export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Default: an empty standard input. */
  readonly stdin?: string | Uint8Array;
  /** Added to the small environment that commands get; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Milliseconds until the command is killed and the call fails; default 60,000. */
  readonly timeout?: number;
}

/** A store in a temporary directory, with a home of its own so that no user's settings reach it. */
export interface Store {
  /** Holds everything below; nothing else is in it. */
  readonly base: string;
  readonly root: string;
  readonly runroot: string;
  readonly home: string;
  /** Runs a command to its end. */
  galley(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** Runs a command that must succeed; returns its standard output without the last line end. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Starts a command with pipes. */
  spawn(args: readonly string[], options?: Omit<RunOptions, "stdin">): Session;
  /** Starts a command on a pseudo-terminal of the given size (80 columns and 24 rows). */
  terminal(args: readonly string[], options?: TerminalOptions): TerminalSession;
  /** What of this store the kernel still holds: processes and mounts. */
  leftovers(): Leftovers;
  /**
   * Removes all containers as a user would, then reports what remained, and removes that and the directory by force.
   * A test of cleanliness expects two empty lists.
   */
  cleanup(): Promise<Leftovers>;
}

export interface TerminalOptions extends Omit<RunOptions, "stdin"> {
  readonly columns?: number;
  readonly rows?: number;
}

/** The program under test: the one that GALLEY_TEST_PROGRAM names (a built executable), or the clone's launcher. */
export function galleyProgram(): string {
  return process.env.GALLEY_TEST_PROGRAM ?? join(import.meta.dir, "../../bin/galley");
}

/** Makes a store. `root` and `runroot` place them elsewhere, on a small file system for example. */
export function createStore(options: { readonly root?: string; readonly runroot?: string } = {}): Store {
  // Short, since the sockets below have at most 108 bytes for their path.
  const base = mkdtempSync(join(tmpdir(), "galley-"));
  const [root, runroot, home] = [
    options.root ?? join(base, "root"),
    options.runroot ?? join(base, "run"),
    join(base, "home"),
  ];
  mkdirSync(home);
  const running = new Set<Bun.Subprocess>();
  const spawning = (given: Omit<RunOptions, "stdin"> = {}) => ({
    cwd: given.cwd ?? home,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LANG: "C.UTF-8",
      TERM: "xterm",
      GALLEY_ROOT: root,
      GALLEY_RUNROOT: runroot,
      ...given.env,
    },
  });
  const keep = <T extends Session>(session: T): T => {
    running.add(session.child);
    void session.child.exited.then(() => running.delete(session.child));
    return session;
  };
  const store: Store = {
    base,
    root,
    runroot,
    home,
    async galley(args, given = {}) {
      const session = keep(new PipeSession([galleyProgram(), ...args], spawning(given)));
      session.write(given.stdin ?? "");
      session.end();
      const status = await session.ended(given.timeout);
      return { status, stdout: session.stdout, stderr: session.stderr };
    },
    async ok(args, given) {
      const { status, stdout, stderr } = await store.galley(args, given);
      if (status !== 0) throw new Error(`galley ${args.join(" ")}: exit status ${status}\n${stdout}${stderr}`);
      return stdout.replace(/\n$/, "");
    },
    spawn: (args, given) => keep(new PipeSession([galleyProgram(), ...args], spawning(given))),
    terminal: (args, given = {}) =>
      keep(
        new TerminalSession([galleyProgram(), ...args], {
          ...spawning(given),
          columns: given.columns,
          rows: given.rows,
        }),
      ),
    leftovers: () => leftoversBelow([base, root, runroot]),
    async cleanup() {
      for (const child of running) child.kill("SIGKILL");
      await Promise.all([...running].map((child) => child.exited));
      await removeContainers(store);
      const found = store.leftovers();
      await removeLeftovers([base, root, runroot]);
      for (const path of [root, runroot, base]) rmSync(path, { recursive: true, force: true });
      return found;
    },
  };
  return store;
}

async function removeContainers(store: Store): Promise<void> {
  if (!existsSync(store.root)) return;
  const listed = await store.galley(["ps", "-aq"]).catch(() => undefined);
  const ids = (listed?.stdout ?? "").split("\n").filter(Boolean);
  if (ids.length > 0) await store.galley(["rm", "-f", "-v", ...ids]).catch(() => undefined);
}
