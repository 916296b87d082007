/** Containers of a busybox root, started through the compiler and the native program, and what becomes of them. */
import { afterAll } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { defaultCapabilities } from "../../src/linux/capabilities.ts";
import { type CgroupLayout, detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { defaultDevices } from "../../src/linux/devices.ts";
import { errnoName } from "../../src/linux/errno.ts";
import { defaultSeccomp } from "../../src/linux/seccomp/default-filter.ts";
import { encode } from "../../src/recipe/encode.ts";
import type { Recipe, ShimSettings } from "../../src/recipe/recipe.ts";
import type { Report } from "../../src/recipe/report.ts";
import { startShim } from "../../src/recipe/run.ts";
import { compileExec } from "../../src/runtime/compile-exec.ts";
import { compileStart } from "../../src/runtime/compile-start.ts";
import type { ShimPart, StartInput } from "../../src/runtime/types.ts";
import type { LinuxConfig, MountConfig, ProcessConfig, RuntimeConfig } from "../../src/spec/runtime.ts";
import { leftoversBelow } from "../harness/leftovers.ts";
import { native, Scratch } from "../native/program.ts";
import { isAlive } from "../native/shim.ts";
import { parseStatus, ShimClient } from "../native/shim-client.ts";

/** Below every hierarchy's top, all cgroups of these tests. */
const CGROUPS = "/galley-runtime-test";
const applets =
  "sh cat chmod chown cp dd echo env grep hostname id ip kill ln ls mkdir mknod mount mv nproc ps pwd readlink rm sleep stat stty sync tail test touch true tty umount".split(
    " ",
  );

export const needs = { root: true, paths: ["/bin/busybox"] } as const;

/** The parts of a configuration that a test replaces; `mounts` are added to the usual ones. */
export interface BoxOptions extends Omit<Partial<RuntimeConfig>, "process" | "linux"> {
  readonly process?: Partial<ProcessConfig>;
  readonly linux?: Partial<LinuxConfig>;
  readonly input?: Partial<StartInput>;
  readonly restart?: ShimSettings["restart"];
  /** Without these of the usual mounts, by their destinations. */
  readonly without?: readonly string[];
  /** Makes the image's own layer, above busybox's: what an attacker would put into it. */
  readonly image?: (folder: string) => void;
  /** Changes the recipe of the start: what another runtime would do, or what an attacker does meanwhile. */
  readonly change?: (recipe: Recipe) => Recipe;
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const usualMounts: readonly MountConfig[] = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"] },
  { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777"] },
];

/** What an attempt that failed was told: the step, its error and the field behind it. */
export interface Refused {
  readonly op: string;
  readonly errno: string;
  readonly cause: string;
}

let count = 0;

/** One container; everything of it goes with the scope. */
export class Box implements AsyncDisposable {
  readonly folder = new Scratch();
  readonly name = `c${process.pid}-${++count}`;
  readonly config: RuntimeConfig;
  readonly #input: StartInput;
  readonly #change: (recipe: Recipe) => Recipe;
  #report: Report | undefined;
  #recipe: Recipe | undefined;

  constructor(command: string | readonly string[], options: BoxOptions = {}) {
    for (const name of ["lower", "own", "upper", "work", "root", "run"]) {
      mkdirSync(this.folder.at(name), { mode: name === "run" ? 0o700 : 0o755 });
    }
    options.image?.(this.folder.at("own"));
    this.#change = options.change ?? ((recipe) => recipe);
    this.config = configOf(this.name, typeof command === "string" ? ["sh", "-c", command] : command, options);
    this.#input = {
      config: this.config,
      root: {
        kind: "overlay",
        lower: [this.folder.at("own"), busyboxRoot()],
        upper: this.folder.at("upper"),
        work: this.folder.at("work"),
      },
      mountPoint: this.folder.at("root"),
      openStdin: false,
      shim: { ...this.#shim("run"), ...(options.restart === undefined ? {} : { restart: options.restart }) },
      ...options.input,
    };
  }

  #shim(folder: string): ShimPart {
    const at = (name: string): string => this.folder.at(folder, name);
    return {
      stdinOnce: false,
      socketPath: at("socket"),
      statusPath: at("status"),
      timingsPath: at("timings"),
      log: { path: at("log"), maxSize: 0, maxFiles: 1 },
      restart: { policy: "no", maxRetries: 0 },
    };
  }

  /** Starts it, which must succeed. */
  async start(): Promise<this> {
    const refused = await this.tryStart();
    if (refused !== undefined) throw new Error(`${refused.op}: ${refused.errno} (${refused.cause})`);
    return this;
  }

  /** Starts it; what was refused, if it was. */
  async tryStart(): Promise<Refused | undefined> {
    this.#recipe = this.#change(compileStart(this.#input));
    this.#report = await this.#launch("run", this.#recipe);
    return refusal(this.#report, this.#recipe);
  }

  async #launch(folder: string, recipe: Recipe): Promise<Report> {
    const bytes = encode(recipe);
    writeFileSync(this.folder.at(folder, "recipe"), bytes);
    return (await startShim(native(), this.folder.at(folder, "recipe"), bytes, { attach: false })).report;
  }

  /** Starts it and waits for its end. */
  async run(): Promise<Ended> {
    await this.start();
    return this.ended();
  }

  /** Waits for the end of the shim too: its status says `exited` before it has cleaned up. */
  async ended(folder = "run"): Promise<Ended> {
    const { exit, shim } = await this.until("exited", folder);
    while (isAlive(Number(shim?.split(" ")[0]))) await Bun.sleep(1);
    return { code: Number(exit), ...this.output(folder) };
  }

  /** Looks at the status file until it says so; the test's own limit ends a wait in vain. */
  async until(state: string, folder = "run"): Promise<Record<string, string>> {
    for (;;) {
      const status = this.status(folder);
      if (status.state === state) return status;
      await Bun.sleep(1);
    }
  }

  /** Waits until the container has written a text. */
  async said(text: string): Promise<void> {
    while (!this.output().out.includes(text)) await Bun.sleep(1);
  }

  status(folder = "run"): Record<string, string> {
    const path = this.folder.at(folder, "status");
    return existsSync(path) ? parseStatus(readFileSync(path, "utf8")) : {};
  }

  output(folder = "run"): Omit<Ended, "code"> {
    const path = this.folder.at(folder, "log");
    const entries = existsSync(path)
      ? readFileSync(path, "utf8")
          .split("\n")
          .filter((line) => line.endsWith("}"))
          .map((line) => JSON.parse(line) as { readonly log: string; readonly stream: string })
      : [];
    const of = (stream: string): string =>
      entries.flatMap((entry) => (entry.stream === stream ? [entry.log] : [])).join("");
    return { out: of("stdout"), err: of("stderr") };
  }

  /** The first process, as this machine numbers it. */
  get pid(): number {
    return Number(this.status().init?.split(" ")[0]);
  }

  connect(): Promise<ShimClient> {
    return ShimClient.connect(this.folder.at("run/socket"));
  }

  /** Runs a process in the container and waits for its end; what was refused, if it was. */
  async exec(command: string | readonly string[], part: Partial<ProcessConfig> = {}): Promise<Ended | Refused> {
    const folder = `exec${++count}`;
    mkdirSync(this.folder.at(folder), { mode: 0o700 });
    const [pid = "0", startTime = "0"] = (this.status().init ?? "").split(" ");
    const recipe = compileExec({
      process: { ...(this.config.process ?? noProcess), terminal: false, args: argsOf(command), ...part },
      config: this.config,
      init: { pid: Number(pid), startTime: Number(startTime) },
      openStdin: false,
      shim: this.#shim(folder),
    });
    const refused = refusal(await this.#launch(folder, recipe), recipe);
    return refused ?? this.ended(folder);
  }

  /** The container's directories in all hierarchies. */
  cgroups(): string[] {
    return directoriesOf(detectCgroups(), `${CGROUPS}/${this.name}`).filter(existsSync);
  }

  /** What of it the machine still has. */
  leftovers(): readonly string[] {
    const { processes, mounts } = leftoversBelow([this.folder.path]);
    return [...processes, ...mounts, ...this.cgroups()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of readdirSync(this.folder.path)) {
      const status = this.status(folder);
      const pids = [status.init, status.shim].map((entry) => Number((entry ?? "").split(" ")[0]));
      if (status.state === "exited") continue;
      for (const pid of pids) if (pid > 1 && isAlive(pid)) process.kill(pid, 9);
      for (const pid of pids) while (pid > 1 && isAlive(pid)) await Bun.sleep(1);
    }
    for (const directory of this.cgroups()) removeCgroup(directory);
    this.folder[Symbol.dispose]();
  }
}

const noProcess: ProcessConfig = { args: [], cwd: "/", user: { uid: 0, gid: 0 } };

function argsOf(command: string | readonly string[]): readonly string[] {
  return typeof command === "string" ? ["sh", "-c", command] : command;
}

/** What docker gives a container that asks for nothing, with a test's own parts. */
function configOf(name: string, args: readonly string[], options: BoxOptions): RuntimeConfig {
  const { process, linux, mounts = [], without = [], ...others } = options;
  const { input: _, image: __, restart: ___, change: ____, ...rest } = others;
  const caps = defaultCapabilities;
  return {
    ociVersion: "1.3.0",
    hostname: "box",
    root: { path: "root" },
    mounts: [...usualMounts.filter(({ destination }) => !without.includes(destination)), ...mounts],
    ...rest,
    process: {
      ...noProcess,
      args,
      env: ["PATH=/bin"],
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      ...process,
    },
    linux: {
      cgroupsPath: `${CGROUPS}/${name}`,
      namespaces: (["pid", "network", "ipc", "uts", "mount"] as const).map((type) => ({ type })),
      devices: defaultDevices,
      resources: { devices: [{ allow: false, access: "rwm" }] },
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/proc/scsi"],
      readonlyPaths: ["/proc/bus", "/proc/sys", "/proc/irq", "/proc/sysrq-trigger"],
      seccomp: defaultSeccomp({ capabilities: caps }),
      ...linux,
    },
  };
}

function refusal({ failure }: Report, recipe: Recipe): Refused | undefined {
  if (failure === undefined) return undefined;
  const step = recipe.sections[failure.section]?.[failure.step];
  return { op: step?.op ?? "?", errno: errnoName(failure.errno) ?? String(failure.errno), cause: step?.cause ?? "?" };
}

/** A static program that only the host has, as an escape through a descriptor of one of the host's directories would name it. */
export class HostProgram extends Scratch {
  constructor() {
    super();
    copyFileSync("/bin/busybox", this.at("true"));
  }

  from(fd: number): string {
    return `/proc/self/fd/${fd}${"/..".repeat(12)}${this.at("true")}`;
  }
}

let root: string | undefined;

/** One directory for all tests of this process, which nothing writes to. */
function busyboxRoot(): string {
  root ??= makeBusyboxRoot(new Scratch().path);
  return root;
}

afterAll(() => {
  if (root !== undefined) rmSync(root, { recursive: true });
  root = undefined;
  for (const directory of directoriesOf(detectCgroups(), CGROUPS)) removeCgroup(directory);
});

/** Fills an empty directory with a root. */
export function makeBusyboxRoot(path: string): string {
  chmodSync(path, 0o755);
  for (const name of ["bin", "etc", "tmp"]) mkdirSync(`${path}/${name}`);
  writeFileSync(`${path}/bin/busybox`, readFileSync("/bin/busybox"), { mode: 0o755 });
  for (const applet of applets) symlinkSync("busybox", `${path}/bin/${applet}`);
  writeFileSync(`${path}/etc/passwd`, "root:x:0:0::/:/bin/sh\n");
  return path;
}

function directoriesOf({ v1, v2 }: CgroupLayout, path: string): string[] {
  return [...v1, ...(v2 === undefined ? [] : [v2])].map(({ mountPoint }) => `${mountPoint}${path}`);
}

/** A directory that still has something in it stays, for the test to see. */
function removeCgroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {}
}
