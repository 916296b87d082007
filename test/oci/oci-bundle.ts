/** A bundle with a busybox root, and the runtime's command line on a directory of state of its own. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { ProcessConfig, RuntimeConfig } from "../../src/spec/runtime.ts";
import { galleyProgram, type Result } from "../harness/galley.ts";
import { Scratch } from "../native/program.ts";
import { makeBusyboxRoot } from "../runtime/box.ts";

export interface BundleOptions extends Omit<Partial<RuntimeConfig>, "process"> {
  readonly process?: Partial<ProcessConfig>;
}

let count = 0;

/** What the runtime under test calls itself. */
export const runtimeName = process.env.GALLEY_TEST_RUNTIME === undefined ? "galley runtime" : "galley-runtime";

/** The runtime under test: the program that GALLEY_TEST_RUNTIME names, or the command line's. */
export function runtimeProgram(): readonly string[] {
  const { GALLEY_TEST_RUNTIME: program } = process.env;
  return program === undefined ? [galleyProgram(), "runtime"] : [program];
}

/** Everything of it goes with the scope, containers too. */
export class OciBundle implements AsyncDisposable {
  readonly folder = new Scratch();
  readonly path: string;
  readonly root: string;
  /** Where its programs put temporary files. */
  readonly temporary: string;
  /** What was configured last. */
  config: BundleOptions = exampleConfig();
  /** A command that is given the runtime's as its last arguments, where something is to be around that. */
  through: readonly string[] = [];
  readonly id = `oci-${process.pid}-${++count}`;

  constructor(script: string, options: BundleOptions = {}) {
    this.path = this.folder.at("bundle");
    this.root = this.folder.at("state");
    this.temporary = this.folder.at("temporary");
    mkdirSync(this.temporary);
    mkdirSync(`${this.path}/rootfs`, { recursive: true });
    makeBusyboxRoot(`${this.path}/rootfs`);
    this.configure(script, options);
  }

  /** Writes config.json: the example with the test's own parts. */
  configure(script: string, { process, ...rest }: BundleOptions = {}): void {
    const { hostname, ...base } = exampleConfig();
    const own = (rest.linux ?? base.linux)?.namespaces?.some(({ type }) => type === "uts") === true;
    const usual = { ...base.process, terminal: false, args: ["sh", "-c", script], env: ["PATH=/bin"] };
    this.config = { ...base, ...(own ? { hostname } : {}), ...rest, process: { ...usual, ...process } };
    writeFileSync(`${this.path}/config.json`, JSON.stringify(this.config));
  }

  /** Runs a command of the runtime to its end. Standard streams are files: a container may hold them for longer. */
  async run(...args: readonly string[]): Promise<Result> {
    const [out, err] = [this.folder.at(`out-${++count}`), this.folder.at(`err-${count}`)];
    const child = Bun.spawn([...this.through, ...runtimeProgram(), "--root", this.root, ...args], {
      cwd: this.path,
      env: { PATH: process.env.PATH, TMPDIR: this.temporary },
      stdio: ["ignore", Bun.file(out), Bun.file(err)],
    });
    const status = await child.exited;
    return { status, stdout: readFileSync(out, "utf8"), stderr: readFileSync(err, "utf8") };
  }

  /** As {@link run}, of a command that must succeed; returns what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...args);
    if (status !== 0) throw new Error(`runtime ${args.join(" ")}: exit status ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  async status(): Promise<string> {
    return (JSON.parse(await this.ok("state", this.id)) as { readonly status: string }).status;
  }

  /** Looks at the state until it is this one; the test's own limit ends a wait in vain. */
  async until(status: string): Promise<void> {
    while ((await this.status()) !== status) await Bun.sleep(5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of containersOf(this.root)) await this.run("delete", "-f", id);
    this.folder[Symbol.dispose]();
  }
}

function containersOf(root: string): string[] {
  try {
    return readdirSync(root);
  } catch {
    return [];
  }
}
