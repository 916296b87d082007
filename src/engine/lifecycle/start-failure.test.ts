import { expect, test } from "bun:test";
import { errno } from "../../linux/errno.ts";
import { stringList } from "../../recipe/encode.ts";
import { type Step, step } from "../../recipe/recipe.ts";
import { failedStep, startFailure } from "./start-failure.ts";

function exec(command: string): Step {
  return step("exec", [stringList([command, "-x"]), stringList([]), "/bin"], { cause: "process.args" });
}

test.each([
  ["nope", errno.ENOENT, 127, 'exec: "nope": executable file not found in $PATH'],
  ["/bin/nope", errno.ENOENT, 127, 'exec: "/bin/nope": no such file or directory'],
  ["/etc/passwd", errno.EACCES, 126, 'exec: "/etc/passwd": permission denied'],
  ["/etc", errno.EISDIR, 126, 'exec: "/etc": is a directory'],
  ["./script", errno.ENOEXEC, 126, 'exec: "./script": exec format error'],
] as const)("%s that cannot be run", (command, error, status, message) => {
  const failure = startFailure(exec(command), error, "web");
  expect([failure.exitStatus, failure.message]).toEqual([status, message]);
});

test.each([
  ["try_chdir", errno.ENOENT, 127, "no such file or directory"],
  ["retry_chdir", errno.EACCES, 126, "permission denied"],
] as const)("a working directory that cannot be entered, told by %s", (op, error, status, message) => {
  const failure = startFailure(step(op, ["/work"], { cause: "process.cwd" }), error, "web");
  expect([failure.exitStatus, failure.message]).toEqual([status, `chdir to cwd ("/work"): ${message}`]);
});

test("a step tells its setting, the call, the error and what helps", () => {
  const mount = step("fsconfig_create", ["filesystem"], { cause: "mounts[3] (tmpfs on /data)" });
  const failure = startFailure(mount, errno.EINVAL, "web");
  expect(failure.describe()).toBe(
    "start web: mounts[3] (tmpfs on /data): fsconfig_create: EINVAL: Invalid argument (is one of its options unknown to this file system?)",
  );
  expect([failure.code, failure.exitStatus]).toEqual(["invalid_argument", undefined]);
});

test("a recipe that was refused blames no step", () => {
  const recipe = { sections: { outside: [exec("a")] } };
  const failure = { section: "outside", step: 0, errno: 36 } as const;
  const report = { failure, pid: 0, startTime: 0n, timings: { outside: [], inside: [] } };
  expect(failedStep(recipe, report)).toBeUndefined();
  expect(failedStep(recipe, { ...report, timings: { outside: [undefined], inside: [] } })).toBe(
    recipe.sections.outside[0],
  );
});
