/** Maps of IDs: written where that is allowed, else by a program. */
import { expect } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { stringList } from "../../src/recipe/encode.ts";
import { testWith } from "../harness/requirements.ts";
import { E, op, run, Scratch, shell, text } from "./program.ts";

const needs = { root: true, commands: ["setpriv"], paths: ["/proc/self/ns/user"] } as const;
const root = (name: string, body: () => Promise<void>) => testWith(needs, name, body);

const USER = 0x10000000;
const LINES = "0 5000 3\n";

/** A process in a user namespace of its own, whose map is this one. */
const mapped = (search: string, lines = LINES) =>
  run({
    outside: [
      op("clone", [USER, "none", 1], { out: "pidfd" }),
      op("open_proc", [], { out: "proc" }),
      op("map_ids", ["proc", "uid_map", text(lines), "mapper", stringList(["0", "5000", "3"]), search]),
      op("signal", [1]),
    ],
    inside: [op("wait", [1]), shell("cat /proc/self/uid_map")],
  });

/** A program that notes how it was called, and ends so. */
function mapper(folder: Scratch, end: string): void {
  writeFileSync(folder.at("mapper"), `#!/bin/sh\necho "$0" "$@" > ${folder.at("called")}\n${end}\n`);
  chmodSync(folder.at("mapper"), 0o755);
}

root("root writes a map himself, and no program is looked for", async () => {
  const { report, output } = await mapped("/nosuch");
  expect(report.failure).toBeUndefined();
  expect(output.trim().split(/ +/)).toEqual(["0", "5000", "3"]);
});

root("what the kernel finds wrong is told, not handed on", async () => {
  expect((await mapped("/nosuch", "0 5000 0\n")).report.failure).toMatchObject({ step: 2, errno: E.INVAL });
});

root("what may not be written is given to the program, with the pid and the map in words", async () => {
  using folder = new Scratch();
  // A map that is there already may not be written again, whoever asks.
  mapper(folder, "echo no luck >&2; exit 3");
  const twice = await run({
    outside: [
      op("clone", [USER, "none", 1], { out: "pidfd" }),
      op("open_proc", [], { out: "proc" }),
      op("write_file", ["proc", "uid_map", text(LINES), 1, 0]),
      op("map_ids", [
        "proc",
        "uid_map",
        text(LINES),
        "mapper",
        stringList(["0", "5000", "3"]),
        `/nosuch:${folder.path}`,
      ]),
    ],
    inside: [op("wait", [1]), shell("true")],
  });
  const { failure, pid } = twice.report;
  expect(failure).toMatchObject({ step: 3, errno: 10, note: { status: 3 << 8, stderr: "no luck\n" } });
  expect(readFileSync(folder.at("called"), "utf8")).toBe(`${folder.at("mapper")} ${pid} 0 5000 3\n`);
});
