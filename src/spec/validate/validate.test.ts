import { expect, test } from "bun:test";
import type { RuntimeConfig } from "../runtime.ts";
import type { ValidationContext } from "./problem.ts";
import { resourcesShape } from "./runtime-shape.ts";
import { parseConfig, parseProcess, parseShaped, validateConfig } from "./validate.ts";

const context: ValidationContext = {
  vocabulary: {
    isCapability: () => false,
    isRlimit: () => true,
    isMountWord: () => true,
    seccompActions: [],
    seccompOperators: [],
    seccompArchitectures: [],
    seccompFlags: [],
  },
};

const minimal = {
  ociVersion: "1.2.0",
  root: { path: "rootfs" },
  process: { args: ["sh"], cwd: "/", user: { uid: 1, gid: 2 } },
};

test("a right configuration passes; its warnings are the result", () => {
  expect(validateConfig(minimal, context)).toEqual([]);
  const config: RuntimeConfig = { ...minimal, process: { ...minimal.process, capabilities: { bounding: ["CAP_X"] } } };
  expect(validateConfig(config, context)).toEqual([
    {
      severity: "warning",
      field: "process.capabilities.bounding[0]",
      message: 'unknown capability "CAP_X" is left out',
    },
  ]);
});

test("the first error is the subject, the others are told too", () => {
  const config: RuntimeConfig = { ...minimal, hostname: "h", process: { ...minimal.process, args: [] } };
  expect(() => validateConfig(config, context)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      subject: "process.args",
      message: expect.stringMatching(/^args must not be empty; hostname: cannot be set without a UTS namespace/),
    }),
  );
});

test("config.json: unknown fields pass, null is not given, missing numbers of the user are root's", () => {
  const text = `{"ociVersion": "1.3.0", "vm": {}, "x": 5, "hostname": null, "root": {"path": "r"},
    "process": {"cwd": "/", "args": ["a"], "user": {"additionalGids": [5]}, "rlimits": [{"type": "R", "soft": 18446744073709551615, "hard": 18446744073709551615}]}}`;
  const config = parseConfig(text, "config.json");
  expect(config.process?.user).toEqual({ uid: 0, gid: 0, additionalGids: [5] });
  expect("hostname" in config).toBe(false);
  expect(config.process?.rlimits?.[0]?.hard).toBe(2 ** 64);
  expect(parseProcess('{"cwd": "/", "args": ["a"]}', "p").user).toEqual({ uid: 0, gid: 0 });
});

test("a known key in other letters is that key, as Go reads it; the right one wins", () => {
  const pages = [{ pagesize: "2MB", limit: 1 }];
  const text = JSON.stringify({ OCIVersion: "1.3.0", Linux: { resources: { hugepagelimits: pages } } });
  expect(parseConfig(text, "config.json")).toEqual({
    ociVersion: "1.3.0",
    linux: { resources: { hugepageLimits: [{ pageSize: "2MB", limit: 1 }] } },
  });
  const both = '{"ociversion": "1.0.0", "ociVersion": "1.3.0"}';
  expect(parseConfig(both, "config.json").ociVersion).toBe("1.3.0");
});

test("what seccomp compares with keeps its digits", () => {
  const text = `{"ociVersion": "1.0.0", "linux": {"seccomp": {"defaultAction": "A", "syscalls": [{"names": ["x"], "action": "A",
    "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 9007199254740993, "op": "O"}, {"index": 1, "value": 5, "op": "O"}]}]}}}`;
  expect(parseConfig(text, "c").linux?.seccomp?.syscalls?.[0]?.args).toEqual([
    { index: 0, value: 2n ** 64n - 1n, valueTwo: 2n ** 53n + 1n, op: "O" },
    { index: 1, value: 5, op: "O" },
  ]);
});

const inLinux = (linux: unknown) => ({ ociVersion: "1.0.0", linux });

test.each([
  [[], "config.json", "must be an object, is a list"],
  [{}, "ociVersion", "is required"],
  [{ ociVersion: 1 }, "ociVersion", "must be a string, is 1"],
  [{ ociVersion: "1.0.0", process: "x" }, "process", 'must be an object, is "x"'],
  [{ ociVersion: "1.0.0", process: {} }, "process.cwd", "is required"],
  [{ ociVersion: "1.0.0", process: { cwd: "/", args: [1] } }, "process.args[0]", "must be a string, is 1"],
  [{ ociVersion: "1.0.0", process: { cwd: "/\0" } }, "process.cwd", "must not contain a NUL byte"],
  [
    { ociVersion: "1.0.0", process: { cwd: "/", user: { uid: -1 } } },
    "process.user.uid",
    "must be between 0 and 4294967295, is -1",
  ],
  [{ ociVersion: "1.0.0", process: { cwd: "/", terminal: "yes" } }, "process.terminal", "must be true or false"],
  [{ ociVersion: "1.0.0", mounts: {} }, "mounts", "must be a list, is an object"],
  [{ ociVersion: "1.0.0", mounts: [{}] }, "mounts[0].destination", "is required"],
  [{ ociVersion: "1.0.0", mounts: [null] }, "mounts[0]", "must be an object, is null"],
  [{ ociVersion: "1.0.0", root: { path: [null] } }, "root.path", "must be a string, is a list"],
  [{ ociVersion: "1.0.0", root: "x".repeat(99) }, "root", `must be an object, is "${"x".repeat(79)}…`],
  [{ ociVersion: "1.0.0", annotations: { "a.b": 1 } }, 'annotations["a.b"]', "must be a string"],
  [inLinux({ resources: { memory: { limit: 1.5 } } }), "linux.resources.memory.limit", "must be an integer, is 1.5"],
  [inLinux({ resources: { pids: { limit: "5" } } }), "linux.resources.pids.limit", 'must be an integer, is "5"'],
  [inLinux({ devices: [{ type: "x", path: "/a" }] }), "linux.devices[0].type", "must be one of c, b, u, p"],
  [
    inLinux({
      seccomp: {
        defaultAction: "x",
        syscalls: [{ names: ["a"], action: "b", args: [{ index: 0, value: -5, op: "c" }] }],
      },
    }),
    "linux.seccomp.syscalls[0].args[0].value",
    "must be between",
  ],
])("config.json with %j is refused with the field's path", (value, field, message) => {
  const expected = {
    code: "invalid_argument",
    subject: `config.json: ${field}`,
    message: expect.stringContaining(message),
  };
  expect(() => parseConfig(JSON.stringify(value), "config.json")).toThrow(expect.objectContaining(expected));
});

test("what is not JSON is said to be so, with the file", () => {
  expect(() => parseConfig("{", "/b/config.json")).toThrow(
    expect.objectContaining({ message: "is not JSON", subject: "/b/config.json" }),
  );
});

test("of many problems the first ten are told", () => {
  const text = JSON.stringify({ ociVersion: "1.0.0", mounts: Array.from({ length: 30 }, () => 5) });
  const said = /^must be an object, is 5(; config\.json: mounts\[\d\]: must be an object, is 5){9}; and 20 more$/;
  expect(() => parseConfig(text, "config.json")).toThrow(
    expect.objectContaining({ message: expect.stringMatching(said) }),
  );
});

test("parts are read by their own shape", () => {
  expect(parseShaped('{"pids": {"limit": 5}, "cpu": null}', "-", resourcesShape)).toEqual({ pids: { limit: 5 } });
  expect(() => parseShaped('{"cpu": {"shares": []}}', "-", resourcesShape)).toThrow("must be an integer");
});
