/** The engine of the lean program: QuickJS, whose C sources come in an npm package that is not installed, only unpacked. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The package that carries QuickJS 2021-03-27, whole and unchanged; npm checks the digest. */
const PACKAGE = "qjsc@0.3.0";
const INTEGRITY = "sha512-a7+cU6/IVcZbIejffdt/wZVMX6LL2MDL3HQ9Zb5Gm23G9DvBMS/z9GHFxz39bAvp2PvMOM+ypSOAyokt2DdZ2w==";
const SOURCES = "package/deps/quickjs_2021_03_27";

export interface Engine {
  /** The directory of quickjs.h. */
  readonly include: string;
  readonly objects: readonly string[];
  /** The same, compiled so that native/lean/trace.c hears of each access to memory. */
  readonly traced: readonly string[];
}

/** For what is traced: a call before each access, none of the sanitizer's own library. */
export const TRACE_FLAGS = ["-O1", "-fsanitize=thread"] as const;

const kinds = { objects: ["-O2"], traced: TRACE_FLAGS } as const;
const parts = ["quickjs", "libregexp", "libunicode", "cutils", "libbf"] as const;

/** Fetches and compiles the engine below `directory`, where it is not there yet. */
export async function quickjs(directory: string): Promise<Engine> {
  if (!existsSync(join(directory, "compiled"))) await make(directory);
  const of = (kind: keyof typeof kinds) => parts.map((part) => join(directory, kind, `${part}.o`));
  return { include: join(directory, SOURCES), objects: of("objects"), traced: of("traced") };
}

async function make(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  const partial = `${directory}.${process.pid}.tmp`;
  for (const kind of Object.keys(kinds)) mkdirSync(join(partial, kind), { recursive: true });
  const archive = await download(partial);
  run(["tar", "-xzf", archive, SOURCES], partial);
  if (!existsSync(join(partial, SOURCES))) throw new Error(`${PACKAGE} has no ${SOURCES}`);
  await Promise.all(Object.entries(kinds).map(([kind, flags]) => compileAll(partial, kind, flags)));
  await Bun.write(join(partial, "compiled"), "");
  renameSync(partial, directory);
}

async function download(directory: string): Promise<string> {
  run(["npm", "pack", "--silent", "--pack-destination", directory, PACKAGE], directory);
  const name = readdirSync(directory).find((file) => file.endsWith(".tgz")) ?? "";
  const path = join(directory, name);
  const digest = new Bun.CryptoHasher("sha512").update(await Bun.file(path).bytes()).digest("base64");
  if (`sha512-${digest}` !== INTEGRITY) throw new Error(`${PACKAGE}: the digest is sha512-${digest}`);
  return path;
}

/** Warnings are the engine's own affair. */
async function compileAll(directory: string, kind: string, kindFlags: readonly string[]): Promise<void> {
  const flags = [
    ...kindFlags,
    "-w",
    "-ffunction-sections",
    "-fdata-sections",
    "-D_GNU_SOURCE",
    "-DCONFIG_BIGNUM",
    '-DCONFIG_VERSION="2021-03-27"',
  ];
  for (const part of parts) {
    const command = [process.env.CC ?? "cc", "-c", ...flags, "-o", `${kind}/${part}.o`, `${SOURCES}/${part}.c`];
    const child = Bun.spawn(command, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    const failure = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${failure}`);
  }
}

/** Runs a command that must succeed, in a directory. */
export function run(command: readonly string[], cwd: string): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { cwd, stdio: ["ignore", "ignore", "pipe"] });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
