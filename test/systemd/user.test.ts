/**
 * Containers in units of a user's own systemd: in test/vm/run, whose user 1000 lingers. He calls from two places: a session of his, whose
 * cgroup is root's, and a service of his manager.
 */
import { describe, expect } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { rootlessConfig } from "../../src/runtime/oci/example.ts";
import type { LinuxConfig } from "../../src/spec/runtime.ts";
import { galleyProgram } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "../oci/oci-bundle.ts";

const USER = 1000;
const runtimeDirectory = `/run/user/${USER}`;
const needs = {
  root: true,
  commands: ["setpriv", "systemd-run", "systemctl"],
  paths: [`${runtimeDirectory}/systemd/private`, "/sys/fs/cgroup/cgroup.controllers", "/bin/busybox"],
} as const;
const manager = `/user.slice/user-${USER}.slice/user@${USER}.service`;
const become = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: runtimeDirectory, HOME: "/tmp" };

/** What a command of his runs as. */
const places = {
  /** As of a login: `user-1000.slice/NAME.scope`, a neighbour of his manager. */
  session: ["systemd-run", "--scope", "--quiet", `--slice=user-${USER}.slice`, ...become],
  service: [...become, "systemd-run", "--user", "--wait", "--collect", "--quiet", "--pipe", "--working-directory=/tmp"],
} as const;

interface Outcome {
  readonly status: number;
  readonly output: string;
}

interface Owned {
  readonly bundle: OciBundle;
  readonly run: (...args: readonly string[]) => Promise<Outcome>;
  readonly ok: (...args: readonly string[]) => Promise<string>;
}

/** A bundle of the user's, and the runtime as he calls it. */
function owned(place: keyof typeof places, linux: Partial<LinuxConfig> = {}): Owned {
  const bundle = new OciBundle("true");
  const map = [{ containerID: 0, hostID: USER, size: 1 }];
  const config = rootlessConfig();
  const cgroupsPath = `user.slice:galley:${bundle.id}`;
  bundle.configure("exec sleep 1000", {
    mounts: config.mounts ?? [],
    linux: { ...config.linux, uidMappings: map, gidMappings: map, cgroupsPath, ...linux },
  });
  mkdirSync(bundle.root);
  Bun.spawnSync(["chown", "-R", `${USER}:${USER}`, bundle.folder.path]);
  chmodSync(bundle.folder.path, 0o755);
  let count = 0;
  const run = async (...args: readonly string[]): Promise<Outcome> => {
    const out = bundle.folder.at(`said-${++count}`);
    const runtime = [galleyProgram(), "runtime", "--systemd-cgroup", "--root", bundle.root, ...args];
    const child = Bun.spawn([...places[place], ...runtime], {
      cwd: bundle.path,
      env,
      stdio: ["ignore", Bun.file(out), Bun.file(out)],
    });
    return { status: await child.exited, output: readFileSync(out, "utf8") };
  };
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { status, output } = await run(...args);
    if (status !== 0) throw new Error(`${args.join(" ")}: ${status}: ${output}`);
    return output;
  };
  return { bundle, run, ok };
}

function show(unit: string, ...names: readonly string[]): Record<string, string> {
  const command = [...become, "systemctl", "--user", "show", unit, ...names.map((name) => `-p${name}`)];
  const lines = Bun.spawnSync(command, { env }).stdout.toString().trim().split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

for (const place of ["session", "service"] as const) {
  describe(`a container of a user's, made from a ${place}`, () => {
    testWith(
      needs,
      "is a unit of his manager's with its limits, execs into it, pauses, gets others and goes",
      async () => {
        const resources = {
          pids: { limit: 20 },
          memory: { limit: 64 * 2 ** 20 },
          cpu: { quota: 50_000, period: 100_000 },
        };
        const { bundle, ok } = owned(place, { resources });
        await using _ = bundle;
        const unit = `galley-${bundle.id}.scope`;
        const directory = `/sys/fs/cgroup${manager}/user.slice/${unit}`;
        const limit = (file: string): string => readFileSync(`${directory}/${file}`, "utf8").trim();
        await ok("run", "-d", "--bundle", bundle.path, bundle.id);
        expect(show(unit, "ActiveState", "Slice", "Delegate", "TasksMax", "MemoryMax")).toEqual({
          ActiveState: "active",
          Slice: "user.slice",
          Delegate: "yes",
          TasksMax: "20",
          MemoryMax: String(64 * 2 ** 20),
        });
        expect([limit("pids.max"), limit("memory.max"), limit("cpu.max")]).toEqual([
          "20",
          String(64 * 2 ** 20),
          "50000 100000",
        ]);
        const { pid } = JSON.parse(await ok("state", bundle.id)) as { pid: number };
        expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toBe(`0::${directory.slice("/sys/fs/cgroup".length)}\n`);
        expect(limit("cgroup.procs")).toBe(String(pid));
        expect(await ok("exec", bundle.id, "cat", "/proc/self/cgroup")).toBe("0::/\n");
        await ok("pause", bundle.id);
        expect(JSON.parse(await ok("state", bundle.id)).status).toBe("paused");
        await ok("resume", bundle.id);
        await ok("update", "--pids-limit", "30", "--memory", "32M", bundle.id);
        expect(show(unit, "TasksMax", "MemoryMax")).toEqual({ TasksMax: "30", MemoryMax: String(32 * 2 ** 20) });
        expect([limit("pids.max"), limit("memory.max")]).toEqual(["30", String(32 * 2 ** 20)]);
        await ok("delete", "-f", bundle.id);
        expect(existsSync(directory)).toBe(false);
        expect(show(unit, "LoadState")).toEqual({ LoadState: "not-found" });
      },
      60_000,
    );

    testWith(
      needs,
      "leaves nothing where it cannot be made",
      async () => {
        const { bundle, run } = owned(place);
        await using _ = bundle;
        bundle.configure("true", { ...bundle.config, process: { args: ["/nosuch"] } });
        const { status, output } = await run("run", "--bundle", bundle.path, bundle.id);
        expect([status, output]).toEqual([1, expect.stringContaining("/nosuch")]);
        expect(show(`galley-${bundle.id}.scope`, "LoadState")).toEqual({ LoadState: "not-found" });
        expect(existsSync(`${bundle.root}/${bundle.id}`)).toBe(false);
      },
      60_000,
    );
  });
}
