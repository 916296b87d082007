/** What the kernel says of a process's scheduling: asked of the process itself, in its container. */
import { describe, expect } from "bun:test";
import { cpus, release } from "node:os";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import type { ProcessConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle, runtimeProgram } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

const allowed = ["grep", "Cpus_allowed_list", "/proc/self/status"];
const { linux = {} } = exampleConfig();
const [major = 0, minor = 0] = release().split(".").map(Number);
/** Whether a process keeps its CPUs when it moves to another cpuset; an older kernel gives it all that the new one has. */
const outlivesCpuset = major > 6 || (major === 6 && minor >= 2);

/** Runs an exec of a process that is described by a file. */
async function execProcess(bundle: OciBundle, process: Partial<ProcessConfig>): Promise<string> {
  const file = bundle.folder.at("process.json");
  await Bun.write(file, JSON.stringify({ cwd: "/", env: ["PATH=/bin"], args: ["true"], ...process }));
  return bundle.ok("exec", "--process", file, bundle.id);
}

describe("the CPUs of a process", () => {
  const many = cpus().length > 1;

  root(`${many ? "are" : "(of one only)"} not those that the runtime was bound to, nor an exec's`, async () => {
    await using bundle = new OciBundle(`${allowed.join(" ")}; exec sleep 1000`);
    const bound = (...args: readonly string[]): string => {
      const argv = ["taskset", "1", ...runtimeProgram(), "--root", bundle.root, ...args];
      return Bun.spawnSync(argv, { cwd: bundle.path }).stdout.toString();
    };
    const free = Bun.spawnSync(allowed).stdout.toString();
    bundle.configure(allowed.join(" "));
    expect(bound("run", bundle.id)).toBe(free);
    bundle.configure("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    expect(bound("exec", bundle.id, ...allowed)).toBe(free);
    expect(await execProcess(bundle, { args: allowed, execCPUAffinity: { initial: "0" } })).toBe(
      outlivesCpuset ? free.replace(/\t.*/, "\t0") : free,
    );
    const file = bundle.folder.at("process.json");
    expect((await bundle.run("--debug", "exec", "-p", file, bundle.id)).stderr).toContain("nsexec: affinity: 0x1");
    expect(await execProcess(bundle, { args: allowed, execCPUAffinity: { initial: "0", final: "0" } })).toMatch(
      /\t0\n$/,
    );
  });
});

const batch = { nice: 19, policy: 3 };

/** Fields 19 and 41 of proc_pid_stat(5), counted from the end of the command's name. */
function scheduled(stat: string): { readonly nice: number; readonly policy: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { nice: Number(fields[16]), policy: Number(fields[38]) };
}

describe("scheduling", () => {
  root("policy, nice value, disk priority and personality hold for the container and its execs", async () => {
    await using bundle = new OciBundle("exec sleep 1000", {
      process: {
        scheduler: { policy: "SCHED_BATCH", nice: 19 },
        ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 },
      },
      linux: { ...linux, personality: { domain: "LINUX32" } },
    });
    await bundle.ok("run", "-d", bundle.id);
    const show = "busybox ionice -p 1; busybox ionice; uname -m; cat /proc/1/stat; exec cat /proc/self/stat";
    const [first, own, machine, init = "", added = ""] = (await bundle.ok("exec", bundle.id, "sh", "-c", show)).split(
      "\n",
    );
    expect([first, own]).toEqual(["best-effort: prio 4", "best-effort: prio 4"]);
    expect(machine).toBe(process.arch === "x64" ? "i686" : "armv8l");
    expect([scheduled(init), scheduled(added)]).toEqual([batch, batch]);
    expect(await execProcess(bundle, { args: ["busybox", "ionice"], ioPriority: { class: "IOPRIO_CLASS_IDLE" } })).toBe(
      "idle\n",
    );
    const idle = { args: ["cat", "/proc/self/stat"], scheduler: { policy: "SCHED_IDLE" } };
    expect(scheduled(await execProcess(bundle, idle)).policy).toBe(5);
  });

  root("a policy that cannot be is said by its field; with few CPUs a deadline cannot", async () => {
    await using bundle = new OciBundle("true", { process: { scheduler: { policy: "SCHED_FIFO", priority: 0 } } });
    const broken = await bundle.run("run", bundle.id);
    expect(broken).toMatchObject({ status: 1, stderr: expect.stringContaining("process.scheduler: sched_setattr") });
    const scheduler = { policy: "SCHED_DEADLINE", runtime: 42_000, deadline: 1_000_000, period: 1_000_000 };
    if (cpus().length < 2) return;
    bundle.configure("true", { process: { scheduler }, linux: { ...linux, resources: { cpu: { cpus: "0" } } } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain(
      "process scheduler can't be used together with AllowedCPUs",
    );
  });

  root("memory comes from the nodes that are named", async () => {
    const memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] };
    const script = "head -n 1 /proc/self/numa_maps | cut -d ' ' -f 2";
    await using bundle = new OciBundle(script, { linux: { ...linux, memoryPolicy } });
    expect(await bundle.ok("run", bundle.id)).toBe("bind=static:0\n");
    bundle.configure(script, { linux: { ...linux, memoryPolicy: { mode: "MPOL_INTERLEAVE", nodes: "0-99999" } } });
    expect((await bundle.run("run", bundle.id)).stderr).toContain("linux.memoryPolicy: set_mempolicy: EINVAL");
  });
});
