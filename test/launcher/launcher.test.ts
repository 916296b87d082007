import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const home = join(import.meta.dir, "../..");

/** Stands for the runtime: says what it was called with and passes its input on. */
const runtime = `#!/bin/sh
[ "$1" = --version ] && exit
echo "native=$GALLEY_NATIVE name=$GALLEY_ARGV0 cwd=$PWD"
printf '<%s>' "$@"; echo
cat
exit 7
`;

/** Stands for npm: installs that runtime, and notes that it was called. */
const npm = `#!/bin/sh
echo "npm $*" >>"$LOG"
mkdir -p node_modules/bun/bin
cp "$RUNTIME" node_modules/bun/bin/bun.exe
touch -d '+10 seconds' node_modules/.package-lock.json
`;

/** Stands for the compiler: takes its time, so that calls at once meet. */
const compiler = `#!/bin/sh
echo cc >>"$LOG"
sleep 0.3
while [ "$1" != -o ]; do shift; done
echo program >"$2"; chmod +x "$2"
`;

let folder: string;
let clone: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "galley-launcher-"));
  clone = join(folder, "a clone");
  log = join(folder, "log");
  const tools = join(folder, "tools");
  for (const path of [tools, join(clone, "native")]) mkdirSync(path, { recursive: true });
  for (const part of ["bin", "scripts"]) cpSync(join(home, part), join(clone, part), { recursive: true });
  writeFileSync(join(clone, "package-lock.json"), "{}");
  writeFileSync(join(clone, "native/main.c"), "");
  for (const old of ["package-lock.json", "native/main.c", "scripts/build-native.sh"]) age(join(clone, old));
  const programs = { npm, node: "#!/bin/sh\n", cc: compiler, ldd: "#!/bin/sh\nexit 1\n", runtime };
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(tools, name), text, { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The launcher compares whole seconds. */
function age(path: string): void {
  utimesSync(path, new Date(1e12), new Date(1e12));
}

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function launch(
  options: { readonly program?: string; readonly cwd?: string; readonly path?: string; readonly input?: string } = {},
): Promise<Outcome> {
  const child = Bun.spawn([options.program ?? join(clone, "bin/galley"), "run", "-it", "a b"], {
    cwd: options.cwd ?? "/",
    env: {
      PATH: options.path ?? `${join(folder, "tools")}:${process.env.PATH}`,
      LOG: log,
      RUNTIME: join(folder, "tools/runtime"),
    },
    stdin: Buffer.from(options.input ?? ""),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { status: await child.exited, stdout, stderr };
}

async function calls(): Promise<string[]> {
  return existsSync(log) ? (await Bun.file(log).text()).trim().split("\n") : [];
}

function expected(name: string, cwd: string, root = clone): string {
  const flags = "<--no-install><--no-env-file><--config=/dev/null>";
  return `native=${root}/build/galley-native name=${name} cwd=${cwd}\n${flags}<${root}/src/cli/start.ts><run><-it><a b>\n`;
}

test("the first call sets up, says so, and leaves input, output and status to the program", async () => {
  const { status, stdout, stderr } = await launch({ input: "typed" });
  expect(status).toBe(7);
  expect(stdout).toBe(`${expected("galley", "/")}typed`);
  expect(stderr).toBe("galley: installing the npm packages (once)\ngalley: compiling the native program (once)\n");
  expect(await calls()).toEqual(["npm ci --no-audit --no-fund --no-progress --loglevel=error", "cc"]);
});

test("the second call sets nothing up, and works without any tool", async () => {
  await launch();
  writeFileSync(join(clone, "scripts/setup.sh"), "exit 1\n");
  const { status, stderr } = await launch({ path: "/nonexistent:/bin:/usr/bin" });
  expect(stderr).toBe("");
  expect(status).toBe(7);
  expect(await calls()).toHaveLength(2);
});

test("what has changed is made again", async () => {
  await launch();
  const soon = new Date(Date.now() + 60_000);
  writeFileSync(join(clone, "native/new.h"), "");
  utimesSync(join(clone, "native/new.h"), soon, soon);
  expect((await launch()).stderr).toBe("galley: compiling the native program (once)\n");
  age(join(clone, "native/new.h"));
  utimesSync(join(clone, "package-lock.json"), soon, soon);
  await launch();
  expect((await calls()).filter((call) => call.startsWith("npm"))).toHaveLength(2);
});

test("a set-up that was killed is done again", async () => {
  mkdirSync(join(clone, "node_modules/bun/bin"), { recursive: true });
  writeFileSync(join(clone, "node_modules/bun/bin/bun.exe"), "half", { mode: 0o755 });
  mkdirSync(join(clone, "build"));
  writeFileSync(join(clone, "build/galley-native.1.tmp"), "half");
  expect((await launch()).status).toBe(7);
  expect(await calls()).toHaveLength(2);
});

test("a linked node_modules is used as it is and never replaced", async () => {
  const elsewhere = join(folder, "elsewhere");
  symlinkSync(elsewhere, join(clone, "node_modules"));
  mkdirSync(elsewhere);
  const empty = await launch();
  expect(empty.status).toBe(125);
  expect(empty.stderr).toContain("galley: run: rm node_modules\n");
  mkdirSync(join(elsewhere, "bun/bin"), { recursive: true });
  writeFileSync(join(elsewhere, "bun/bin/bun.exe"), runtime, { mode: 0o755 });
  expect((await launch()).stderr).toBe("galley: compiling the native program (once)\n");
  expect((await launch()).stderr).toBe("");
  expect(await calls()).toEqual(["cc"]);
});

test("calls at the same time set up once", async () => {
  const outcomes = await Promise.all([launch(), launch(), launch()]);
  expect(outcomes.map(({ status }) => status)).toEqual([7, 7, 7]);
  expect((await calls()).length).toBe(2);
});

test("links to the launcher, to its directory and relative paths lead to the same clone", async () => {
  await launch();
  const link = join(folder, "docker");
  symlinkSync(join(clone, "bin/galley"), link);
  expect((await launch({ program: link })).stdout).toBe(expected("docker", "/"));
  symlinkSync(join(clone, "bin"), join(folder, "linked"));
  const through = await launch({ program: join(folder, "linked/galley") });
  expect(through.stdout).toBe(expected("galley", "/", `${folder}/linked/..`));
  expect((await launch({ program: "./bin/galley", cwd: clone })).stdout).toBe(expected("galley", clone));
});

test("a missing compiler and a missing npm give the command that installs them", async () => {
  const bare = join(folder, "bare");
  mkdirSync(bare);
  for (const tool of ["sh", "dirname", "mkdir", "flock", "id", "tail", "touch", "mv", "rm", "cp", "cat"]) {
    symlinkSync(Bun.which(tool) ?? "", join(bare, tool));
  }
  const withoutNpm = await launch({ path: bare });
  expect(withoutNpm.status).toBe(125);
  expect(withoutNpm.stderr).toContain("galley: run: apt-get install -y nodejs npm\n");
  for (const tool of ["npm", "node"]) symlinkSync(join(folder, "tools", tool), join(bare, tool));
  const withoutCompiler = await launch({ path: bare });
  expect(withoutCompiler.status).toBe(125);
  expect(withoutCompiler.stdout).toBe("");
  expect(withoutCompiler.stderr).toContain("galley: run: apt-get install -y gcc libc6-dev\n");
});

test("an npm that fails shows what it said", async () => {
  writeFileSync(join(folder, "tools/npm"), "#!/bin/sh\necho no network\nexit 1\n", { mode: 0o755 });
  const { status, stderr } = await launch();
  expect(status).toBe(125);
  expect(stderr).toContain("no network");
  expect(stderr).toContain("galley: npm could not install the packages");
});
