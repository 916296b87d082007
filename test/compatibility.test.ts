/** docs/compatibility.md against the program: every command and flag is there once, in the column where it belongs. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnyCommand } from "../src/cli/command.ts";
import { commands } from "../src/cli/command-table.ts";

const home = join(import.meta.dir, "..");

interface Listed {
  readonly works: readonly string[];
  readonly untried: readonly string[];
  readonly refused: readonly string[];
}

const listed = readTables(readFileSync(join(home, "docs/compatibility.md"), "utf8"));
const testText = textOf("{test,src}/**/*.test.ts");

/** Rows of the tables whose first heading is `command`, by command. */
function readTables(document: string): ReadonlyMap<string, Listed> {
  const rows = document.split("\n").filter((line) => line.startsWith("| `"));
  const found = new Map<string, Listed>();
  for (const row of rows) {
    const [names = "", works = "", untried = "", refused, ...rest] = row
      .split(" | ")
      .map((cell) => cell.replace(/^\| | \|$/g, ""));
    if (refused === undefined || rest.length > 0) continue;
    const entry = { works: flagsOf(works), untried: flagsOf(untried), refused: flagsOf(refused) };
    for (const name of quoted(names)) {
      if (found.has(name)) throw new Error(`${name} is listed twice`);
      found.set(name, entry);
    }
  }
  return found;
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
}

/** The long names, without what is before them. */
function flagsOf(cell: string): string[] {
  return quoted(cell).map((text) => text.replace(/^-., /, "").replace(/^--/, ""));
}

function textOf(pattern: string): string {
  const files = [...new Bun.Glob(pattern).scanSync(home)].filter((path) => !path.endsWith("compatibility.test.ts"));
  return files.map((path) => readFileSync(join(home, path), "utf8")).join("\n");
}

async function commandOf(name: string): Promise<AnyCommand> {
  const entry = commands[name];
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  return (await entry.load()).command;
}

/** What a person may write: no second spellings, and not what one command tells another. */
function publicFlags({ flags }: AnyCommand): string[] {
  const names = Object.entries(flags).flatMap(([name, flag]) => (flag.aliasOf === undefined ? [name] : []));
  return names.filter((name) => name !== "as-skopeo");
}

test("the commands are those that there are", () => {
  expect([...listed.keys()].sort()).toEqual(Object.keys(commands).sort());
});

describe("the flags are those that there are", () => {
  for (const [name, { works, untried, refused }] of listed) {
    test(name, async () => {
      const own = publicFlags(await commandOf(name));
      const all = [...works, ...untried, ...refused];
      expect(new Set(all).size).toBe(all.length);
      // create shares a row with run.
      const onlyOfRun = name === "create" ? ["detach", "detach-keys", "sig-proxy"] : [];
      expect(all.filter((flag) => !own.includes(flag)).sort()).toEqual(onlyOfRun);
      expect(own.filter((flag) => !all.includes(flag))).toEqual([]);
    });
  }
});

describe("what works is tried", () => {
  for (const [name, { works }] of listed) {
    test(name, async () => {
      const { flags } = await commandOf(name);
      const absent = works.filter((flag) => !isWritten(flag, flags[flag]?.short));
      expect(absent).toEqual([]);
    });
  }

  function isWritten(flag: string, short: string | undefined): boolean {
    return (
      new RegExp(`--${flag}\\b`).test(testText) ||
      (short !== undefined && new RegExp(`["\\s]-[a-zA-Z]*${short}\\b`).test(testText))
    );
  }
});

test("what is refused as a flag says so", async () => {
  for (const [name, { refused }] of listed) {
    const { flags } = await commandOf(name);
    for (const flag of refused) {
      if (flags[flag]?.initial !== undefined) continue;
      expect(() => flags[flag]?.set(undefined, "x")).toThrow(`--${flag} is not supported`);
    }
  }
});
