/**
 * Builds dist/galley-runtime, or the file given as argument: the OCI runtime's everyday commands as a small static program. Their
 * TypeScript is the one of the whole program; QuickJS runs it from bytecode, and src/lean has what Bun and Node would give it.
 *
 * A process that starts, works for some milliseconds and ends wins nothing by a compiler that makes loops fast, and pays for its start.
 */
import { copyFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { quickjs, run } from "./quickjs.ts";

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

/** Builds the program `output`; build/galley-native must be there. */
export async function buildLean(output: string): Promise<void> {
  mkdirSync(work, { recursive: true });
  const { include, objects } = await quickjs(join(home, "build/quickjs"));
  const cc = [process.env.CC ?? "cc", "-std=gnu11", "-O2", "-static", "-no-pie", "-Wall", "-Wextra", "-Werror"];
  const flags = [
    "-DCONFIG_BIGNUM",
    "-isystem",
    include,
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
    "-s",
  ];
  const sources = ["main.c", "arena.c", "system.c", "text.c", "sha256.c", "embedded.S"];
  copyFileSync(join(home, "build/galley-native"), join(work, "galley-native"));
  const linked = join(work, "linked");
  run(
    [...cc, ...flags, "-o", linked, ...sources.map((name) => join(home, "native/lean", name)), ...objects, "-lm"],
    work,
  );
  const partial = join(work, `galley-runtime.${process.pid}.tmp`);
  copyFileSync(linked, partial);
  run([linked, "--snapshot", await bundle(), partial], work);
  mkdirSync(join(output, ".."), { recursive: true });
  renameSync(partial, output);
  console.log(`${output}, ${(statSync(output).size / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  const setup = Bun.spawnSync(["sh", join(home, "scripts/setup.sh")], { stdio: ["ignore", "inherit", "inherit"] });
  if (setup.exitCode !== 0) process.exit(1);
  await buildLean(resolve(process.argv[2] ?? join(home, "dist/galley-runtime")));
}
