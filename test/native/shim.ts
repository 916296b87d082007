/** Containers of a kind, for tests of the shim: a shell in a pid namespace, with pipes or a terminal. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { encode } from "../../src/recipe/encode.ts";
import type { Recipe, ShimSettings, Step } from "../../src/recipe/recipe.ts";
import type { Report } from "../../src/recipe/report.ts";
import { startShim } from "../../src/recipe/run.ts";
import { CLONE, native, O, op, Scratch, shell } from "./program.ts";
import { parseStatus, ShimClient } from "./shim-client.ts";

export interface ShimOptions extends Partial<Omit<ShimSettings, "stdio" | "log">> {
  readonly tty?: boolean;
  /** Default: a log that is not rotated; false: none. */
  readonly log?: { readonly maxSize: number; readonly maxFiles: number } | false;
  /** Default: `log` in the scratch folder. */
  readonly logPath?: string;
  /** clone(2) flags; default a pid namespace. */
  readonly flags?: number;
  readonly outside?: readonly Step[];
  readonly inside?: readonly Step[];
  readonly sections?: Omit<Recipe["sections"], "outside" | "inside">;
  /** Start with a client on an inherited descriptor; default true. */
  readonly attach?: boolean;
}

export interface LogEntry {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

/** What a test started: all of it goes with the scope. */
export class Shim implements AsyncDisposable {
  /** The record as it was last seen: it may be gone when the scope ends, with its container still there. */
  #seen: Record<string, string> = {};

  private constructor(
    readonly folder: Scratch,
    readonly report: Report,
    /** The first client; absent with `attach: false` or a start that failed. */
    readonly first: ShimClient | undefined,
    readonly statusPath: string,
  ) {
    this.#look();
  }

  static async start(script: string, options: ShimOptions = {}): Promise<Shim> {
    const folder = new Scratch();
    mkdirSync(folder.at("run"), { mode: 0o700 });
    const recipe = encode(shimRecipe(folder, script, options));
    writeFileSync(folder.at("recipe"), recipe);
    const attach = options.attach ?? true;
    const { report, attachFd } = await startShim(native(), folder.at("recipe"), recipe, { attach });
    const failed = report.failure !== undefined;
    const client = attachFd === undefined || failed ? undefined : await ShimClient.adopt(attachFd);
    return new Shim(folder, report, client, options.statusPath ?? folder.at("run/status"));
  }

  get client(): ShimClient {
    if (this.first === undefined) throw new Error(`no client: ${JSON.stringify(this.report.failure)}`);
    return this.first;
  }

  connect(): Promise<ShimClient> {
    return ShimClient.connect(this.socketPath);
  }

  get socketPath(): string {
    return this.folder.at("run/socket");
  }

  status(): Record<string, string> {
    this.#seen = parseStatus(readFileSync(this.statusPath, "utf8"));
    return this.#seen;
  }

  #look(): void {
    try {
      this.status();
    } catch {
      // What was seen before holds.
    }
  }

  /** Pid of the shim, from its status file. */
  get pid(): number {
    return Number(this.status().shim?.split(" ")[0]);
  }

  get initPid(): number {
    return Number(this.status().init?.split(" ")[0]);
  }

  log(name = "log"): LogEntry[] {
    const lines = readFileSync(this.folder.at(name), "utf8").split("\n");
    if (lines.pop() !== "") throw new Error("the log's last line is cut");
    return lines.map((line) => JSON.parse(line) as LogEntry);
  }

  /** Looks at the status file until it says so; the test's own limit ends a wait in vain. */
  async until(state: string, more: Record<string, string> = {}): Promise<Record<string, string>> {
    for (;;) {
      const status = existsSync(this.statusPath) ? this.status() : {};
      const holds = Object.entries({ state, ...more }).every(([key, value]) => status[key] === value);
      if (holds) return status;
      await Bun.sleep(1);
    }
  }

  /** Resolves once the shim's process is gone. */
  async gone(): Promise<void> {
    const pid = this.pid;
    while (isAlive(pid)) await Bun.sleep(1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.first?.close();
    this.#look();
    const { shim = "", init = "" } = this.#seen;
    for (const one of [shim, init]) if (isSame(one)) process.kill(Number(one.split(" ")[0]), 9);
    while ([shim, init].some(isSame)) await Bun.sleep(1);
    this.folder[Symbol.dispose]();
  }
}

/** Whether the process of a record, pid and start time, is running: another one may have its pid by now. */
function isSame(recorded: string): boolean {
  const [pid = "", started] = recorded.split(" ");
  return pid !== "" && isAlive(Number(pid)) && startTime(pid) === started;
}

/** proc_pid_stat(5), field 22. */
function startTime(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** Running, and not a zombie that some parent has yet to reap. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

const pipes: readonly Step[] = [
  op("pipe", ["stdin-read", "stdin-write", O.cloexec]),
  op("pipe", ["stdout-read", "stdout-write", O.cloexec]),
  op("pipe", ["stderr-read", "stderr-write", O.cloexec]),
];

const terminal: readonly Step[] = [
  op("openat", ["cwd", "/", O.path | O.cloexec, 0], { out: "root" }),
  op("open_ptmx", ["root", "dev/pts/ptmx"], { out: "master" }),
  op("pty_peer", ["master"], { out: "peer" }),
];

function stdio(tty: boolean): ShimSettings["stdio"] {
  return tty ? { tty: "master" } : { stdin: "stdin-write", stdout: "stdout-read", stderr: "stderr-read" };
}

function takeStdio(tty: boolean): Step[] {
  if (!tty) return [op("setsid", []), op("set_stdio", ["stdin-read", "stdout-write", "stderr-write"])];
  return [op("setsid", []), op("set_controlling_tty", ["peer"]), op("set_stdio", ["peer", "peer", "peer"])];
}

function shimRecipe(folder: Scratch, script: string, options: ShimOptions): Recipe {
  const {
    tty = false,
    log,
    flags = CLONE.newpid,
    outside = [],
    inside = [],
    sections = {},
    attach,
    logPath = folder.at("log"),
    ...settings
  } = options;
  return {
    sections: {
      outside: [...outside, ...(tty ? terminal : pipes), op("clone", [flags, "none", 1])],
      inside: [...takeStdio(tty), ...inside, shell(script)],
      ...sections,
    },
    shim: {
      stdio: stdio(tty),
      openStdin: true,
      stdinOnce: false,
      socketPath: folder.at("run/socket"),
      statusPath: folder.at("run/status"),
      timingsPath: folder.at("run/timings"),
      restart: { policy: "no", maxRetries: 0 },
      ...(log === false ? {} : { log: { path: logPath, ...(log ?? { maxSize: 0, maxFiles: 1 }) } }),
      ...(attach === false ? {} : { attachFd: 3 }),
      ...settings,
    },
  };
}
