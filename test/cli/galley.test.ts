/** The program as a whole: version, info, help, completion, the options before a command, and what it does not know. */
import { describe, expect, test } from "bun:test";
import { commands, groups } from "../../src/cli/command-table.ts";
import { testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

describe("galley", () => {
  test("version, in all its ways", async () => {
    const short = await store().ok(["--version"]);
    expect(short).toMatch(/^galley version \d+\.\d+\.\d+$/);
    expect(await store().ok(["-v"])).toBe(short);
    const number = short.split(" ").at(-1) ?? "";
    expect(await store().ok(["version"])).toContain(number);
    expect(await store().ok(["version", "--format", "{{.Client.Version}} {{.Server.Version}}"])).toBe(
      `${number} ${number}`,
    );
    expect(JSON.parse(await store().ok(["version", "-f", "json"])).Client.Version).toBe(number);
  });

  testWith(root, "info: the store and the host", async () => {
    await store().ok(["create", "--name", "one", "busybox"]);
    expect(await store().ok(["info", "--format", "{{.Containers}}"])).toBe("1");
    expect(await store().ok(["system", "info"])).toContain(store().root);
    expect(JSON.parse(await store().ok(["info", "-f", "json"]))).toMatchObject({ Containers: 1, Images: 1 });
    await store().ok(["rm", "one"]);
  });

  test("help: of the program, of each group and of each command", async () => {
    const whole = await store().ok(["--help"]);
    expect(await store().ok(["help"])).toBe(whole);
    expect((await store().galley([])).stdout).toBe(`${whole}\n`);
    const names = [...Object.keys(commands), ...Object.keys(groups)];
    await inTurns(names, async (name) => {
      const text = await store().ok([...name.split(" "), "--help"]);
      expect(text).toContain(`Usage:  galley ${name}`);
      expect(await store().ok(["help", ...name.split(" ")])).toBe(text);
    });
  }, 60_000);

  test("every alias leads to its command", async () => {
    const aliases = Object.entries(commands).flatMap(([name, { aliases }]) =>
      aliases.map((alias) => [alias, name] as const),
    );
    await inTurns(aliases, async ([alias, name]) => {
      const summary = commands[name]?.summary ?? "";
      expect(await store().ok([...alias.split(" "), "--help"])).toContain(summary);
    });
  }, 60_000);

  test("completion for each shell", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const script = await store().ok(["completion", shell]);
      expect(script).toContain("galley");
      expect(script).toContain("run");
      if (Bun.which(shell) === null) continue;
      const check = Bun.spawnSync([shell, "-n"], { stdin: Buffer.from(script) });
      expect(check.stderr.toString()).toBe("");
    }
    const unknown = await store().galley(["completion", "nosuch"]);
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain("it must be bash");
  });

  testWith(root, "options before the command: --root, --runroot, -D, --log-level", async () => {
    const other = ["--root", `${store().base}/other`, "--runroot", `${store().base}/other-run`];
    expect(await store().ok([...other, "run", "--rm", "-q", "busybox", "echo", "there"])).toBe("there");
    expect(await store().ok([...other, "images", "-q"])).not.toBe("");
    expect((await store().galley(["-D", "inspect", "nosuch"])).stderr).toContain("thrown [not_found]");
    expect((await store().galley(["--log-level", "debug", "inspect", "nosuch"])).stderr).toContain("thrown");
    expect((await store().galley(["-l", "nosuch", "ps"])).status).toBe(125);
  });

  test("what it does not know it names, with what may have been meant", async () => {
    const word = await store().galley(["rnu"]);
    expect(word).toMatchObject({ status: 1, stdout: "" });
    expect(word.stderr).toMatch(/rnu.*[\s\S]*run/);
    const flag = await store().galley(["ps", "--quite"]);
    expect(flag.status).toBe(125);
    expect(flag.stderr).toContain("unknown flag: --quite (did you mean --quiet?)");
    expect((await store().galley(["container", "nosuch"])).status).not.toBe(0);
    const few = await store().galley(["rename", "one"]);
    expect(few.status).toBe(1);
    expect(few.stderr).toContain("'galley rename' requires 2 arguments");
  });
});

/** Four at a time: each is a process of its own. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
