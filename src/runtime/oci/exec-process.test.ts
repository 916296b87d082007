import { expect, test } from "bun:test";
import { withContainerDefaults } from "./exec-process.ts";

const process = { args: ["sh"], cwd: "/", user: { uid: 1, gid: 2 } };
const container = {
  args: ["init"],
  cwd: "/work",
  env: ["A=1"],
  user: { uid: 7, gid: 8, umask: 0o77, additionalGids: [9] },
  noNewPrivileges: true,
  terminal: true,
  capabilities: { bounding: ["CAP_KILL"] },
  rlimits: [{ type: "RLIMIT_CORE", soft: 1, hard: 1 }],
  scheduler: { policy: "SCHED_BATCH" },
  apparmorProfile: "profile",
};

test("limits and grants are the container's, the rest is the file's alone", () => {
  const { capabilities, rlimits, scheduler, apparmorProfile } = container;
  expect(withContainerDefaults(process, container)).toEqual({
    ...process,
    user: { uid: 1, gid: 2, umask: 0o77 },
    capabilities,
    rlimits,
    scheduler,
    apparmorProfile,
  });
});

test("what the file says holds; no limits are none", () => {
  const own = { ...process, capabilities: {}, rlimits: [], apparmorProfile: "" };
  const result = withContainerDefaults({ ...own, user: { uid: 0, gid: 0, umask: 0o22 } }, container);
  expect(result).toMatchObject({ capabilities: {}, rlimits: container.rlimits, apparmorProfile: "profile" });
  expect(result.user).toEqual({ uid: 0, gid: 0, umask: 0o22 });
  expect(withContainerDefaults(process)).toEqual(process);
});
