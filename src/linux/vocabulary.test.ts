import { expect, test } from "bun:test";
import { findProblems } from "../spec/validate/validate.ts";
import { defaultCapabilities } from "./capabilities.ts";
import { defaultProfile } from "./seccomp/profile.ts";
import { resolveProfile } from "./seccomp/resolve.ts";
import { linuxVocabulary } from "./vocabulary.ts";

test("names are those of the tables, capabilities up to the kernel's last", () => {
  const vocabulary = linuxVocabulary(37);
  expect(["CAP_CHOWN", "CAP_AUDIT_READ", "CAP_BPF", "CAP_X"].map(vocabulary.isCapability)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(["RLIMIT_NOFILE", "nofile", "RLIMIT_X"].map(vocabulary.isRlimit)).toEqual([true, false, false]);
  expect(["rro", "size=5"].map(vocabulary.isMountWord)).toEqual([true, false]);
});

test("the defaults of this program are valid", () => {
  const set = defaultCapabilities;
  const problems = findProblems(
    {
      ociVersion: "1.2.0",
      root: { path: "/r" },
      process: {
        args: ["sh"],
        cwd: "/",
        user: { uid: 0, gid: 0 },
        capabilities: { bounding: set, effective: set, permitted: set },
        rlimits: [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 1024 }],
      },
      linux: { seccomp: resolveProfile(defaultProfile(), { capabilities: set, machine: "x86_64" }) },
    },
    { vocabulary: linuxVocabulary(40) },
  );
  expect(problems).toEqual([]);
});
