/**
 * Runs the tests: `npm test`, or `npm test -- PATH...` for a part of them.
 *
 * Each file is a process of its own, one after the other: integration tests share one kernel, and a file that crashes
 * takes no other with it. Unit tests come first. The last line holds the counts; the exit status is 0 only where
 * something ran and nothing failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { count, resultsOf, summary, type TestResult } from "./test-report.ts";

const home = join(import.meta.dir, "..");

/** Milliseconds for one test; an integration test may pull, start and remove containers. */
const TEST_TIMEOUT = 120_000;
/** Milliseconds for one file, against a test that blocks in a system call, where Bun's own limit cannot act. */
const FILE_TIMEOUT = 15 * 60_000;

/** Debian's packages by the command that tests call. busybox is scripts/setup.sh's. */
const tools: Readonly<Record<string, string>> = {
  "docker-registry": "docker-registry",
  umoci: "umoci",
  skopeo: "skopeo",
  openssl: "openssl",
  gpg: "gpg",
  "gpg-agent": "gpg-agent",
  ssh: "openssh-client",
  sshd: "openssh-server",
  criu: "criu",
  podman: "podman",
  catatonit: "catatonit",
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  newuidmap: "uidmap",
  mksquashfs: "squashfs-tools",
  fakeroot: "fakeroot",
};

function setUp(): void {
  const setup = Bun.spawnSync(["sh", join(home, "scripts/setup.sh")], { stdio: ["ignore", "inherit", "inherit"] });
  if (setup.exitCode !== 0) process.exit(1);
}

/** Installs what integration tests call; where that is impossible, they say themselves what they miss. */
function installTools(): void {
  const packages = Object.entries(tools).flatMap(([command, name]) => (Bun.which(command) === null ? [name] : []));
  if (packages.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) {
    console.error(`test: the integration tests also need: ${command}`);
    return;
  }
  console.error(`test: ${command}`);
  if (!apt(packages)) console.error(`test: that failed, and the tests that need ${packages.join(", ")} will say so`);
}

function apt(packages: readonly string[]): boolean {
  const run = (...words: string[]) =>
    Bun.spawnSync(["apt-get", "-q", ...words], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    }).exitCode === 0;
  const install = () => run("install", "-y", "--no-install-recommends", ...packages);
  return install() || (run("update") && install());
}

/** All test files at or below the given paths, unit tests before those that cross tiers. */
function testFiles(paths: readonly string[]): string[] {
  const found = paths.flatMap((path) => {
    if (!existsSync(path)) {
      console.error(`test: ${path}: no such file or directory`);
      process.exit(1);
    }
    if (!statSync(path).isDirectory()) return [path];
    return [...new Bun.Glob("**/*.test.ts").scanSync({ cwd: path, absolute: true })].sort();
  });
  return [...new Set(found.map((file) => relative(home, file)))];
}

async function runFile(file: string, scratch: string): Promise<TestResult[]> {
  const report = join(scratch, "report.xml");
  rmSync(report, { force: true });
  console.error(`\n== ${file}`);
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      `--timeout=${TEST_TIMEOUT}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      `./${file}`,
    ],
    { cwd: home, stdio: ["ignore", "inherit", "inherit"], timeout: FILE_TIMEOUT, killSignal: "SIGKILL" },
  );
  const status = await child.exited;
  return resultsOf(file, existsSync(report) ? readFileSync(report, "utf8") : undefined, status);
}

async function run(paths: readonly string[]): Promise<number> {
  setUp();
  const files = testFiles(paths);
  if (files.some((file) => file.startsWith("test/"))) installTools();
  const scratch = mkdtempSync(join(tmpdir(), "galley-test-"));
  const results: TestResult[] = [];
  try {
    for (const file of files) results.push(...(await runFile(file, scratch)));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  for (const line of summary(results)) console.log(line);
  return results.length > 0 && count(results).failed === 0 ? 0 : 1;
}

const defaults = ["src", "scripts", "bench", "test"].map((folder) => join(home, folder));
const given = process.argv.slice(2);
process.exitCode = await run(given.length === 0 ? defaults.filter((folder) => existsSync(folder)) : given);
