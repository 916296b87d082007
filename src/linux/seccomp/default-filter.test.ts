import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { defaultCapabilities } from "../capabilities.ts";
import { compileFilter } from "./compile.ts";
import { defaultSeccomp } from "./default-filter.ts";
import { prebuiltModule } from "./generate-prebuilt.ts";
import { defaultProfile } from "./profile.ts";
import { resolveProfile } from "./resolve.ts";

test("the programs of the release are what the compiler makes today", () => {
  const text = readFileSync(new URL("prebuilt.ts", import.meta.url), "utf8");
  expect(text === prebuiltModule(), "run: bun src/linux/seccomp/generate-prebuilt.ts").toBe(true);
});

const targets = [
  { capabilities: defaultCapabilities, machine: "x86_64", kernel: "6.1" },
  { capabilities: defaultCapabilities, machine: "aarch64", kernel: "6.1" },
  { capabilities: defaultCapabilities, machine: "x86_64", kernel: "4.7" },
  { capabilities: [...defaultCapabilities, "CAP_SYSLOG"], machine: "x86_64", kernel: "6.1" },
  { capabilities: [], machine: "x86_64", kernel: "6.1" },
] as const;

test.each(targets)("configuration and program are those of the long way: %j", (target) => {
  const config = defaultSeccomp(target);
  const long = resolveProfile(defaultProfile(), target);
  expect(compileFilter(config, target.machine)).toEqual(compileFilter(long, target.machine));
  expect(JSON.parse(JSON.stringify(config))).toEqual(JSON.parse(JSON.stringify(long)));
});

test("for another machine than it was made for a configuration is compiled", () => {
  const config = defaultSeccomp(targets[0]);
  expect(compileFilter(config, "aarch64").program).not.toEqual(compileFilter(config, "x86_64").program);
});
