import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { planCgroup } from "../../src/linux/cgroups/plan.ts";
import type { CgroupPlan, CgroupWrite } from "../../src/linux/cgroups/types.ts";
import { planUpdate } from "../../src/linux/cgroups/update.ts";
import { errnoNumber } from "../../src/linux/errno.ts";
import type { ResourcesConfig } from "../../src/spec/runtime.ts";

const skip = process.getuid?.() === 0 ? undefined : "making cgroups needs root";

function write(one: CgroupWrite): void {
  try {
    writeFileSync(one.path, one.value, { flag: "r+" });
  } catch (failure) {
    const code = (failure as { code?: string }).code ?? "";
    if (!one.tolerate?.includes(errnoNumber(code) ?? 0)) throw failure;
  }
}

/** Reads a file until it says what it should; the test's own time-out ends a wait that is in vain. */
async function until(path: string, holds: (text: string) => boolean): Promise<void> {
  while (!holds(readFileSync(path, "utf8"))) await Bun.sleep(1);
}

type Use = (plan: CgroupPlan, path: string) => Promise<void> | void;

async function withCgroup(resources: ResourcesConfig, use: Use): Promise<void> {
  const path = `/galley-test-${process.pid}/c1`;
  const plan = planCgroup({ layout: detectCgroups(), path, resources });
  try {
    for (const one of plan.prepare) {
      if (one.kind === "mkdir") mkdirSync(one.path, { recursive: true });
      else write(one);
    }
    await use(plan, path);
  } finally {
    for (const directory of plan.directories.flatMap((one) => [one, one.slice(0, -"/c1".length)])) {
      rmdirSync(directory);
    }
  }
}

const resources: ResourcesConfig = {
  memory: { limit: 64 * 2 ** 20, swap: 64 * 2 ** 20 },
  cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "0" },
  pids: { limit: 10 },
};

test.skipIf(skip !== undefined)(
  `the kernel takes every write of a plan${skip === undefined ? "" : ` (${skip})`}`,
  async () => {
    await withCgroup(resources, async (plan) => {
      const child = Bun.spawn(["sleep", "60"]);
      try {
        for (const { procs } of plan.attach) writeFileSync(procs, String(child.pid), { flag: "r+" });
        if (plan.cloneInto !== undefined)
          writeFileSync(`${plan.cloneInto}/cgroup.procs`, String(child.pid), { flag: "r+" });
        const memberships = readFileSync(`/proc/${child.pid}/cgroup`, "utf8").trim().split("\n");
        for (const line of memberships) expect(line).toEndWith(`/galley-test-${process.pid}/c1`);
        const pidsMax = readFileSync(`${plan.controllers.pids}/pids.max`, "utf8");
        expect(pidsMax).toBe("10\n");
        if (plan.freezer !== undefined) {
          write(plan.freezer.freeze);
          await until(plan.freezer.frozen.path, (text) => text.includes(plan.freezer?.frozen.text ?? ""));
          write(plan.freezer.thaw);
          await until(plan.freezer.thawed.path, (text) => text.includes(plan.freezer?.thawed.text ?? ""));
        }
        if (plan.kill !== undefined) writeFileSync(plan.kill, "1", { flag: "r+" });
      } finally {
        child.kill(9);
        await child.exited;
        for (const directory of plan.directories) await until(`${directory}/cgroup.procs`, (text) => text === "");
      }
    });
  },
);

test.skipIf(skip !== undefined)(
  `limits that bound each other change both ways${skip === undefined ? "" : ` (${skip})`}`,
  async () => {
    await withCgroup(resources, (_, path) => {
      for (const size of [256, 16, 128]) {
        const changed: ResourcesConfig = {
          memory: { limit: size * 2 ** 20, swap: 2 * size * 2 ** 20 },
          cpu: { quota: size * 1000, period: size * 500, burst: size * 10 },
        };
        for (const one of planUpdate({ layout: detectCgroups(), path, resources: changed })) write(one);
      }
      const unlimited: ResourcesConfig = { memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } };
      for (const one of planUpdate({ layout: detectCgroups(), path, resources: unlimited })) write(one);
      for (const one of planUpdate({ layout: detectCgroups(), path, resources })) write(one);
    });
  },
);
