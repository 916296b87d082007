/** The native program under test, and short ways to make recipes, run them and look at what they did. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode, stringList } from "../../src/recipe/encode.ts";
import type { OpName } from "../../src/recipe/ops.ts";
import { type OpArgs, type Recipe, type Step, type StepOptions, step } from "../../src/recipe/recipe.ts";
import { parseReport, type Report } from "../../src/recipe/report.ts";

const home = join(import.meta.dir, "../..");

/** clone(2), mount(2), open(2) and signal(7) numbers that the tests use. */
export const CLONE = { newns: 0x20000, newuts: 0x4000000, newpid: 0x20000000, newnet: 0x40000000 } as const;
export const O = {
  wronly: 1,
  rdwr: 2,
  creat: 0o100,
  trunc: 0o1000,
  directory: 0o200000,
  path: 0o10000000,
  cloexec: 0o2000000,
};
export const MS = { bind: 4096, rec: 16384, private: 1 << 18 } as const;

let program: string | undefined;

/** Path of the program, compiled where it is missing or older than its sources. */
export function native(): string {
  program ??= upToDate(join(home, "build/galley-native"));
  return program;
}

function upToDate(path: string): string {
  const sources = readdirSync(join(home, "native")).map((name) => statSync(join(home, "native", name)).mtimeMs);
  if (existsSync(path) && statSync(path).mtimeMs >= Math.max(...sources)) return path;
  const build = Bun.spawnSync(["sh", join(home, "scripts/build-native.sh"), path], { stderr: "inherit" });
  if (build.exitCode !== 0) throw new Error("the native program does not compile");
  return path;
}

/** A step whose cause is its own name. */
export function op<Name extends OpName>(name: Name, args: OpArgs<Name>, options: Partial<StepOptions> = {}): Step {
  return step(name, args, { cause: name, ...options });
}

export const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** An exec step for the machine's shell. */
export function shell(script: string): Step {
  return op("exec", [
    stringList(["sh", "-c", script]),
    stringList(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]),
    "/usr/bin:/bin",
  ]);
}

export interface Ran {
  readonly report: Report;
  /** Exit status of the native program itself. */
  readonly status: number | null;
  /** What it and the inside wrote to standard output and error until all of them ended. */
  readonly output: string;
}

/** Runs a recipe of mode 0; the report comes through descriptor 3, so that the inside may write to its standard output. */
export async function run(sections: Recipe["sections"], options: readonly string[] = []): Promise<Ran> {
  return runBytes(encode({ sections }), options);
}

export async function runBytes(recipe: Uint8Array, options: readonly string[] = []): Promise<Ran> {
  const folder = scratch();
  const path = join(folder, "recipe");
  writeFileSync(path, recipe);
  const fd = openSync(join(folder, "report"), "w");
  const child = Bun.spawn([native(), "run", ...options, path, "3"], { stdio: ["ignore", "pipe", "pipe", fd] });
  closeSync(fd);
  const [out, err, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const bytes = readFileSync(join(folder, "report"));
  rmSync(folder, { recursive: true });
  const outside = new DataView(recipe.buffer, recipe.byteOffset).getUint32(44, true);
  return { report: parseReport(bytes, outside), status, output: out + err };
}

/** Steps in a child with mount and other namespaces of its own, its mounts private; then a shell script. */
export function inNamespaces(flags: number, steps: readonly Step[], script: string): Promise<Ran> {
  return run({
    outside: [op("clone", [flags | CLONE.newns, "none", 1])],
    inside: [op("mount", ["", "/", "", MS.rec | MS.private, ""]), ...steps, shell(script)],
  });
}

/** A new directory; {@link rmSync} it, or leave it to a `using` of {@link Scratch}. */
export function scratch(): string {
  return mkdtempSync(join(tmpdir(), "galley-native-"));
}

/** A directory that goes with its scope. */
export class Scratch implements Disposable {
  readonly path = scratch();

  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** errno(3) numbers. */
export const E = {
  NOENT: 2,
  SRCH: 3,
  NOEXEC: 8,
  BADF: 9,
  ACCES: 13,
  BUSY: 16,
  EXIST: 17,
  NODEV: 19,
  NOTDIR: 20,
  INVAL: 22,
  NOTTY: 25,
  LOOP: 40,
  ADDRINUSE: 98,
  TIMEDOUT: 110,
  ALREADY: 114,
  CANCELED: 125,
} as const;
