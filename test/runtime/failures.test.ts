/** A start that fails at any step of either actor leaves nothing behind. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { step } from "../../src/recipe/recipe.ts";
import { testWith } from "../harness/requirements.ts";
import { Box, type BoxOptions, needs } from "./box.ts";

const it = (name: string, body: () => Promise<void>): void => testWith(needs, name, body);
const hostMounts = (): string => readFileSync("/proc/self/mountinfo", "utf8");
const fails = [step("chdir", ["/nowhere at all"], { cause: "the test" })];

const cases: readonly (readonly [string, string | RegExp, BoxOptions])[] = [
  [
    "outside, among the steps of the network",
    "the test",
    { input: { extra: { outside: fails, inside: [], cleanup: [] } } },
  ],
  [
    "inside, among the steps of the network",
    "the test",
    { input: { extra: { outside: [], inside: fails, cleanup: [] } } },
  ],
  [
    "a limit that the kernel refuses",
    "linux.resources.cpu.quota",
    { linux: { resources: { cpu: { quota: 1, period: 100_000 } } } },
  ],
  [
    "a parameter that its file system does not know",
    "mounts[6] (tmpfs on /x): strange=1",
    { mounts: [{ destination: "/x", type: "tmpfs", options: ["strange=1"] }] },
  ],
  [
    "a bind's source that is not there",
    "mounts[6] (bind on /x): source /nowhere/at/all",
    { mounts: [{ destination: "/x", type: "bind", source: "/nowhere/at/all" }] },
  ],
  ["a file system that there is not", "mounts[6] (nofs on /x)", { mounts: [{ destination: "/x", type: "nofs" }] }],
  ["a sysctl that there is not", "linux.sysctl[kernel.nothing]", { linux: { sysctl: { "kernel.nothing": "1" } } }],
  ["a sysctl's value", "linux.sysctl[kernel.msgmax]", { linux: { sysctl: { "kernel.msgmax": "much" } } }],
  [
    "a namespace's path",
    "linux.namespaces (ipc at /nowhere)",
    { linux: { namespaces: [{ type: "mount" }, { type: "pid" }, { type: "uts" }, { type: "ipc", path: "/nowhere" }] } },
  ],
  [
    "a path that is no namespace",
    "linux.namespaces (ipc)",
    {
      linux: {
        namespaces: [{ type: "mount" }, { type: "pid" }, { type: "uts" }, { type: "ipc", path: "/etc/passwd" }],
      },
    },
  ],
  ["a hostname that is too long", "hostname", { hostname: "x".repeat(65) }],
  // Some kernels make the mount before they look for its place.
  ["a mount point that is not there", /^root(\.path \(overlayfs\))?$/, { input: { mountPoint: "/nowhere/at/all" } }],
  ["a seccomp program that the kernel refuses", "process.args", { process: { args: ["/bin/nothing"] } }],
];

describe("a start fails at", () => {
  for (const [name, cause, options] of cases) {
    it(name, async () => {
      const before = hostMounts();
      await using box = new Box("true", options);
      expect((await box.tryStart())?.cause).toMatch(
        typeof cause === "string" ? new RegExp(`^${RegExp.escape(cause)}$`) : cause,
      );
      expect(box.leftovers()).toEqual([]);
      expect(hostMounts()).toBe(before);
    });
  }
});

describe("an exec that fails", () => {
  it("leaves the container as it was", async () => {
    await using box = new Box("echo up; sleep 1000");
    await box.start();
    await box.said("up");
    const before = box.cgroups().map((directory) => readFileSync(`${directory}/cgroup.procs`, "utf8"));
    expect(await box.exec(["nothing"])).toMatchObject({ errno: "ENOENT" });
    expect(box.cgroups().map((directory) => readFileSync(`${directory}/cgroup.procs`, "utf8"))).toEqual(before);
  });
});
