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
}

/** Fetches and compiles the engine below `directory`, where it is not there yet. */
export async function quickjs(directory: string): Promise<Engine> {
  const include = join(directory, SOURCES);
  if (!existsSync(join(directory, "ready"))) await make(directory, include);
  const objects = parts.map((part) => join(directory, `${part}.o`));
  return { include, objects };
}

const parts = ["quickjs", "libregexp", "libunicode", "cutils", "libbf"] as const;

async function make(directory: string, include: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  const partial = `${directory}.${process.pid}.tmp`;
  mkdirSync(partial, { recursive: true });
  const archive = await download(partial);
  run(["tar", "-xzf", archive, SOURCES], partial);
  for (const part of parts) compile(partial, part);
  await Bun.write(join(partial, "ready"), "");
  renameSync(partial, directory);
  if (!existsSync(include)) throw new Error(`${PACKAGE} has no ${SOURCES}`);
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
function compile(directory: string, part: string): void {
  const flags = [
    "-O2",
    "-w",
    "-ffunction-sections",
    "-fdata-sections",
    "-D_GNU_SOURCE",
    "-DCONFIG_BIGNUM",
    '-DCONFIG_VERSION="2021-03-27"',
  ];
  run([process.env.CC ?? "cc", "-c", ...flags, "-o", `${part}.o`, `${SOURCES}/${part}.c`], directory);
}

/** Runs a command that must succeed, in a directory. */
export function run(command: readonly string[], cwd: string): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { cwd, stdio: ["ignore", "ignore", "pipe"] });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
