import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { stringList } from "../../src/recipe/encode.ts";
import { testWith } from "../harness/requirements.ts";
import { E, op, run, Scratch, shell, text } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);
const NOWHERE = 0xffff_ffff;

interface Hook {
  readonly path?: string;
  readonly input?: string;
  readonly pidAt?: number;
  readonly timeout?: number;
}

/** A hook that runs a shell's script, of the inside. */
function hook(script: string, { path = "/bin/sh", input = "", pidAt = NOWHERE, timeout = 0 }: Hook = {}) {
  const argv = stringList(["named", "-c", script]);
  return op("run_hook", [path, argv, stringList(["ONLY=this"]), text(input), pidAt, timeout]);
}

const inside = (...steps: readonly ReturnType<typeof hook>[]) =>
  run({ outside: [op("clone", [0, "none", 1])], inside: [...steps, shell("echo command")] });

root("a hook has its name, its environment and its input, with the pid of who runs it", async () => {
  using folder = new Scratch();
  const script = `{ cat; echo; echo $0 $PPID $ONLY; ls /proc/self/fd | wc -l; } > ${folder.at("out")}`;
  const { report, output } = await inside(hook(script, { input: '{"pid":          }', pidAt: 7 }));
  expect(report.failure).toBeUndefined();
  expect(output).toBe("command\n");
  const [input = "", own, descriptors] = readFileSync(folder.at("out"), "utf8").split("\n");
  expect(JSON.parse(input)).toEqual({ pid: report.pid });
  expect(own).toBe(`named ${report.pid} this`);
  expect(Number(descriptors)).toBe(4);
});

root("input and output of any size are taken, and the beginning of the output is told of a failure", async () => {
  const much = "x".repeat(300_000);
  const script = "cat >&2; head -c 300000 /dev/zero | tr '\\0' y; exit 7";
  const { report, output } = await inside(
    hook("cat > /dev/null", { input: much }),
    hook("true", { input: much }),
    hook(script, { input: much }),
  );
  const note = { status: 7 << 8, stdout: "y".repeat(1024), stderr: "x".repeat(2048) };
  expect(report.failure).toEqual({ section: "inside", step: 2, errno: 10, note });
  expect(report.timings.inside.length).toBe(4);
  expect(output).toBe("");
});

root("a hook that is killed, late, or not there says which", async () => {
  const failure = async (...args: Parameters<typeof hook>) => (await inside(hook(...args))).report.failure;
  expect(await failure("kill -SYS $$")).toMatchObject({ errno: 10, note: { status: 31 } });
  expect(await failure("", { path: "/nosuch" })).toMatchObject({ errno: E.NOENT, note: { status: 0 } });
  expect(await failure("", { path: "/dev/null" })).toMatchObject({ errno: E.ACCES });
  expect(await failure("exec sleep 1000", { timeout: 20 })).toMatchObject({ errno: E.TIMEDOUT, note: { status: 9 } });
  expect(await failure("exec sleep 1000 >&- 2>&-", { timeout: 20 })).toMatchObject({ errno: E.TIMEDOUT });
  expect(await failure("true", { pidAt: 0 })).toMatchObject({ errno: E.INVAL });
});
