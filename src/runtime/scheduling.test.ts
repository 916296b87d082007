import { describe, expect, test } from "bun:test";
import { exec, inOrder, lines, linesOf, machines, start } from "./sample.ts";

describe("scheduling", () => {
  test("a scheduler is set as one structure, in the privileged part", () => {
    const scheduler = {
      policy: "SCHED_DEADLINE",
      nice: -1,
      flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN"],
      runtime: 1,
      deadline: 2,
      period: 3,
    };
    const attr = [
      "38000000060000000500000000000000",
      "ffffffff00000000",
      "010000000000000002000000000000000300000000000000",
      "0000000000000000",
    ];
    const recipe = start({ process: { scheduler } });
    expect(linesOf(recipe, "process.scheduler")).toEqual([`sched_setattr(0, [${attr.join("")}], 0)`]);
    inOrder(lines(recipe), "sched_setaffinity", "sched_setattr", "capset");
  });

  test("disk priority, personality and memory nodes, before a filter", () => {
    const recipe = start({
      process: { ioPriority: { class: "IOPRIO_CLASS_IDLE" } },
      linux: {
        personality: { domain: "LINUX32" },
        memoryPolicy: { mode: "MPOL_BIND", nodes: "0,2", flags: ["MPOL_F_STATIC_NODES"] },
        seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["personality"], action: "SCMP_ACT_ERRNO" }] },
      },
    });
    inOrder(
      lines(recipe),
      "ioprio_set(1, 0, 0x6000)",
      "personality(0x8)",
      "set_mempolicy(32770, [0500000000000000], 65)",
      "seccomp(",
    );
  });

  test("a memory policy without nodes gives none", () => {
    const recipe = start({ linux: { memoryPolicy: { mode: "MPOL_DEFAULT" } } });
    expect(linesOf(recipe, "linux.memoryPolicy")).toEqual(['set_mempolicy(0, "", 0)']);
  });

  test("an exec has its own scheduler and the container's personality", () => {
    const recipe = exec({ scheduler: { policy: "SCHED_IDLE" } }, { linux: { personality: { domain: "LINUX" } } });
    expect(linesOf(recipe, "process.scheduler").length).toBe(1);
    expect(lines(recipe)).toContain("personality(0x0)");
  });
});

describe("CPUs", () => {
  const reset = "sched_setaffinity(0, [1024 bytes])";

  test("are those of the cgroup, once it is entered", () => {
    inOrder(lines(start({}, machines.v1)), 'write_file(AT_FDCWD, "/cg/cpu,cpuacct/galley/c1/tasks"', reset, "capset");
    inOrder(lines(exec({}, {}, machines.v1)), 'write_file(AT_FDCWD, "/cg/cpu,cpuacct/galley/c1/tasks"', reset, "setns");
  });

  test("of an exec are what it says: at its birth, and in its cgroup", () => {
    const both = exec({ execCPUAffinity: { initial: "1", final: "0-1" } });
    inOrder(lines(both, "outside"), "sched_setaffinity(0, [0200000000000000])", "clone(");
    expect(linesOf(both, "process.execCPUAffinity")).toEqual(["sched_setaffinity(0, [0300000000000000])"]);
    const first = exec({ execCPUAffinity: { initial: "1" } });
    expect(lines(first).filter((line) => line.startsWith("sched_setaffinity"))).toEqual([]);
    expect(lines(exec({ execCPUAffinity: {} }))).toContain(reset);
  });
});
