/**
 * Builds dist/galley-runtime, or the file given as argument: the OCI runtime's everyday commands as a small static program. Their
 * TypeScript is the one of the whole program; QuickJS runs it from bytecode, and src/lean has what Bun and Node would give it.
 *
 * A process that starts, works for some milliseconds and ends wins nothing by a compiler that makes loops fast, and pays for its start.
 */
import { copyFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { orderOf } from "./lean-order.ts";
import { type Engine, quickjs, run, TRACE_FLAGS } from "./quickjs.ts";

const home = join(import.meta.dir, "..");
const work = join(home, "build/lean");
const lean = join(home, "src/lean");

/** What takes the place of what. Modules are named by their end. */
const replaced: readonly (readonly [RegExp, string])[] = [
  [/^(node:)?fs$/, "node-fs.ts"],
  [/^(node:)?path$/, "node-path.ts"],
  [/^(node:)?os$/, "node-os.ts"],
  [/^(node:)?process$/, "node-process.ts"],
  [/\/libc\.ts$/, "libc.ts"],
  [/\/assets\.ts$/, "assets.ts"],
  [/^\.\/json\.ts$/, "json.ts"],
  [/^\.\/table\.ts$/, "commands.ts"],
  [/^\.\/(help|version)\.ts$/, "words.ts"],
];

/** One script, whose path is returned. */
async function bundle(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(lean, "main.ts")],
    target: "browser",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: { "process.arch": JSON.stringify(process.arch) },
    plugins: [{ name: "lean", setup: replace }],
  });
  const path = join(work, "galley-runtime.js");
  await Bun.write(path, (await outputs[0]?.text()) ?? "");
  return path;
}

function replace(build: Bun.PluginBuilder): void {
  for (const [filter, file] of replaced) {
    const path = join(lean, file);
    build.onResolve({ filter }, ({ importer }) => (importer === path ? undefined : { path }));
  }
}

const sources = ["main.c", "arena.c", "system.c", "text.c", "sha256.c"] as const;
const compiler = [process.env.CC ?? "cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-DCONFIG_BIGNUM"];

/** The program that carries no memory yet. */
function link({ include, objects }: Engine): string {
  const path = join(work, "linked");
  const flags = ["-O2", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-s", "-static", "-no-pie"];
  const files = [...sources, "embedded.S"].map((source) => join(home, "native/lean", source));
  run([...compiler, "-isystem", include, ...flags, "-o", path, ...files, ...objects, "-lm"], work);
  return path;
}

/** The same, traced. The engine's atomic operations, which nothing here calls, would need more of the sanitizer. */
function linkTraced({ include, traced }: Engine): string {
  const path = join(work, "traced");
  const objects = sources.map((source) => {
    const object = join(work, `traced-${source}.o`);
    const flags = [...TRACE_FLAGS, "-DTRACED=1", "-isystem", include, "-c"];
    run([...compiler, ...flags, "-o", object, join(home, "native/lean", source)], work);
    return object;
  });
  const files = ["trace.c", "embedded.S"].map((source) => join(home, "native/lean", source));
  const flags = ["-O2", "-static", "-no-pie", "-Wl,--unresolved-symbols=ignore-in-object-files"];
  run([...compiler, "-isystem", include, ...flags, "-o", path, ...files, ...objects, ...traced, "-lm"], work);
  return path;
}

/** The program with the script's memory behind it. */
function withSnapshot(linked: string, script: string, order: readonly string[]): string {
  const program = `${linked}.${process.pid}.tmp`;
  copyFileSync(linked, program);
  run([linked, "--snapshot", script, program, ...order], work);
  return program;
}

/** Builds the program `output`; build/galley-native must be there. */
export async function buildLean(output: string): Promise<void> {
  mkdirSync(work, { recursive: true });
  const engine = await quickjs(join(home, "build/quickjs"));
  copyFileSync(join(home, "build/galley-native"), join(work, "galley-native"));
  const script = await bundle();
  const order = join(work, "order");
  const traced = withSnapshot(linkTraced(engine), script, []);
  orderOf(traced, order);
  const program = withSnapshot(link(engine), script, [order]);
  mkdirSync(join(output, ".."), { recursive: true });
  renameSync(program, output);
  console.log(`${output}, ${(statSync(output).size / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  const setup = Bun.spawnSync(["sh", join(home, "scripts/setup.sh")], { stdio: ["ignore", "inherit", "inherit"] });
  if (setup.exitCode !== 0) process.exit(1);
  await buildLean(resolve(process.argv[2] ?? join(home, "dist/galley-runtime")));
}
