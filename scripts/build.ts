/**
 * Builds dist/galley, or the file given as argument: one executable that holds the program, its runtime, the native
 * program and busybox.
 *
 * Chunks with ahead-of-time bytecode start about four times as fast as one bundle, since a command loads only its own. What the everyday
 * commands use lies together (scripts/profile.ts), which takes another twentieth off.
 * Beside it comes galley-runtime, the OCI runtime for managers: see build-lean.ts.
 *
 * The executable reads no .env and no bunfig.toml: those of the user's directory are not Galley's.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { hostBusybox } from "../src/cli/assets.ts";
import { buildLean } from "./build-lean.ts";
import { allowHugePages } from "./huge-pages.ts";
import { withProfiles } from "./profile.ts";

const home = join(import.meta.dir, "..");
const embed = join(home, "build/embed");

function setUp(): void {
  const setup = Bun.spawnSync(["sh", join(home, "scripts/setup.sh")], { stdio: ["ignore", "inherit", "inherit"] });
  if (setup.exitCode !== 0) process.exit(1);
}

/** Puts the two embedded files where the entry imports them; returns the native program's SHA-256. */
function stageAssets(): string {
  const busybox = hostBusybox(["/bin/busybox", "/usr/bin/busybox"]);
  if (busybox === undefined) {
    console.error("build: a static busybox was not found; run: apt-get install -y busybox-static");
    process.exit(1);
  }
  mkdirSync(embed, { recursive: true });
  writeFileSync(join(embed, "busybox.zst"), Bun.zstdCompressSync(busybox, { level: 19 }));
  copyFileSync(join(home, "build/galley-native"), join(embed, "galley-native"));
  return new Bun.CryptoHasher("sha256").update(readFileSync(join(embed, "galley-native"))).digest("hex");
}

interface Target {
  readonly outfile: string;
  readonly nativeDigest: string;
  /** Profiles of the program, from scripts/profile.ts. */
  readonly profiles: readonly string[];
}

async function bundle({ outfile, nativeDigest, profiles }: Target): Promise<void> {
  await Bun.build({
    // The first is what runs; the others are programs of threads, which are found beside the chunks, by their names.
    entrypoints: ["src/cli/main-standalone.ts", "src/image/snapshot/thread/index-thread.ts"].map((path) =>
      join(home, path),
    ),
    naming: { entry: "[name].[ext]" },
    target: "bun",
    format: "esm",
    splitting: true,
    // Small chunks that a command would load together become one: each costs some 20 µs, and a start has fifty.
    minChunkSize: 16384,
    bytecode: true,
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: { NATIVE_DIGEST: JSON.stringify(nativeDigest) },
    compile: {
      outfile,
      bytecodeOrder: [...profiles],
      // A command runs most of its code once: see src/cli/full-speed.ts for those that do not.
      jitPolicy: 64,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
    },
  });
}

/** Built twice: the first one tells what its everyday commands use. */
async function build(output: string): Promise<void> {
  setUp();
  const nativeDigest = stageAssets();
  mkdirSync(dirname(output), { recursive: true });
  // A program that runs cannot be written over, but it can be replaced.
  const outfile = `${output}.${process.pid}.tmp`;
  await bundle({ outfile, nativeDigest, profiles: [] });
  await withProfiles(outfile, (profiles) => bundle({ outfile, nativeDigest, profiles }));
  allowHugePages(outfile);
  renameSync(outfile, output);
  console.log(`${output}, ${(statSync(output).size / 1e6).toFixed(0)} MB`);
}

const output = resolve(process.argv[2] ?? join(home, "dist/galley"));
await build(output);
await buildLean(join(dirname(output), "galley-runtime"));
