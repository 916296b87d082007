/** The working directory, entered by whoever may. */
import { expect } from "bun:test";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { E, op, run, Scratch, shell } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

/** An inside that enters the directory as one user, becomes another and tries again. */
const enter = (path: string, first: number, second: number) =>
  run({
    outside: [op("clone", [0, "none", 1])],
    inside: [
      op("setresuid", [first, first, 0]),
      op("try_chdir", [path]),
      op("setresuid", [0, 0, 0]),
      op("setresuid", [second, second, second]),
      op("retry_chdir", [path]),
      op("check_cwd", []),
      shell("pwd -P"),
    ],
  });

root("a directory is entered by root for a user who may not, and by a user where the first one may not", async () => {
  using folder = new Scratch();
  chmodSync(folder.path, 0o755);
  mkdirSync(folder.at("roots"), { mode: 0o700 });
  mkdirSync(folder.at("users"), { mode: 0o700 });
  chownSync(folder.at("users"), 77, 77);
  expect((await enter(folder.at("roots"), 0, 77)).report.failure).toBeUndefined();
  expect(await enter(folder.at("users"), 78, 77)).toMatchObject({ output: `${folder.at("users")}\n` });
});

root("what neither may enter, and what is not there, is a failure", async () => {
  using folder = new Scratch();
  chmodSync(folder.path, 0o755);
  mkdirSync(folder.at("roots"), { mode: 0o700 });
  const failure = async (path: string) => (await enter(path, 78, 77)).report.failure;
  expect(await failure(folder.at("roots"))).toEqual({ section: "inside", step: 4, errno: E.ACCES });
  expect(await failure(folder.at("nosuch"))).toEqual({ section: "inside", step: 1, errno: E.NOENT });
});
