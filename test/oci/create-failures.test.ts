/** What fails leaves nothing: no process, cgroup, mount or state; and hooks are told of the end of what they were told of. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { placesOf } from "../../src/linux/cgroups/places.ts";
import type { HooksConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { type BundleOptions, OciBundle } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

interface Row {
  readonly name: string;
  /** `create` where nothing else is said. */
  readonly command?: "run" | "start";
  readonly flags?: readonly string[];
  readonly config?: BundleOptions;
  readonly hooks?: HooksConfig;
  readonly message: string;
}

const terminal: BundleOptions = { process: { terminal: true } };
const failing = [{ path: "/bin/true" }, { path: "/bin/sh", args: ["sh", "-c", "echo said; echo why >&2; exit 3"] }];
const said = "hook #1: exit status 3, stdout: said, stderr: why";
const missing = [{ path: "/nosuch/hook" }];
const late = [{ path: "/bin/sh", args: ["sh", "-c", "sleep 1000 & sleep 1000"], timeout: 1 }];
const killed = [{ path: "/bin/sh", args: ["sh", "-c", "kill -9 $$"] }];
const early = ["prestart", "createRuntime", "createContainer"] as const;
const all = [...early, "startContainer"] as const;
const commandOf = (kind: string) => (kind === "startContainer" ? { command: "run" as const } : {});

const rows: readonly Row[] = [
  { name: "a pid file that cannot be written", flags: ["--pid-file", "/nosuch/pid"], message: "/nosuch" },
  { name: "a terminal without a socket", config: terminal, message: "cannot allocate tty" },
  {
    name: "a console socket that is not there",
    flags: ["--console-socket", "/nosuch/socket"],
    config: terminal,
    message: "--console-socket /nosuch/socket",
  },
  {
    name: "a console socket that is none",
    flags: ["--console-socket", "/dev/null"],
    config: terminal,
    message: "ECONNREFUSED",
  },
  { name: "a pidfd socket that is not there", flags: ["--pidfd-socket", "/nosuch/socket"], message: "--pidfd-socket" },
  {
    name: "a command that is not there",
    config: { process: { args: ["nosuch"] } },
    message: 'exec: "nosuch": executable file not found in $PATH',
  },
  {
    name: "a mount whose source is not there",
    config: { mounts: [{ destination: "/mnt", type: "bind", source: "/nosuch", options: ["bind"] }] },
    message: "mounts[0]",
  },
  {
    name: "an agent that is not there",
    config: {
      linux: {
        namespaces: [{ type: "mount" }, { type: "pid" }],
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          listenerPath: "/nosuch/agent",
          syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
        },
      },
    },
    message: "failed to connect with seccomp agent",
  },
  ...all.flatMap((kind): Row[] => [
    { name: `a ${kind} hook that fails`, ...commandOf(kind), hooks: { [kind]: failing }, message: `${kind} ${said}` },
    {
      name: `a ${kind} hook that is killed`,
      ...commandOf(kind),
      hooks: { [kind]: killed },
      message: `${kind} hook #0: signal: killed`,
    },
    {
      name: `a ${kind} hook that is not there`,
      ...commandOf(kind),
      hooks: { [kind]: missing },
      message: `${kind} hook #0: fork/exec /nosuch/hook: no such file or directory`,
    },
    {
      name: `a ${kind} hook that takes too long`,
      ...commandOf(kind),
      hooks: { [kind]: late },
      message: `${kind} hook #0: hook ran past specified timeout of 1.0s`,
    },
  ]),
  {
    name: "a poststart hook that fails",
    command: "start",
    hooks: { poststart: failing },
    message: `error running poststart ${said}`,
  },
];

function cgroupsOf(id: string): readonly string[] {
  const places = placesOf(detectCgroups(), `/${id}`);
  return places.map(({ directory }) => directory).filter(existsSync);
}

/** All mounts of the host, but for those that other tests make meanwhile elsewhere. */
function mountsBelow(path: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(path));
}

/** Processes with the container's ID or directory in their command line, or with its hook's. */
function processesOf(bundle: OciBundle): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => contentOf(`/proc/${pid}/cmdline`).replaceAll("\0", " "))
    .filter((line) => line.includes(bundle.folder.path) || line.includes("sleep 1000 & sleep 1000"));
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

describe("leaves nothing behind and is told to the poststop hook", () => {
  for (const { name, command, flags = [], config = {}, hooks = {}, message } of rows) {
    root(name, async () => {
      await using bundle = new OciBundle("true");
      const after = bundle.folder.at("after");
      const poststop = [{ path: "/bin/false" }, { path: "/bin/sh", args: ["sh", "-c", `cat > ${after}`] }];
      bundle.configure("exec sleep 1000", { ...config, hooks: { ...hooks, poststop } });
      if (command === "start") await bundle.ok("create", bundle.id);
      const { status, stderr } = await bundle.run(command ?? "create", ...flags, bundle.id);
      expect(status).toBe(1);
      expect(stderr).toContain(message);
      expect(JSON.parse(readFileSync(after, "utf8"))).toMatchObject({ id: bundle.id, status: "stopped" });
      expect(readdirSync(bundle.root)).toEqual([]);
      expect(cgroupsOf(bundle.id)).toEqual([]);
      expect(mountsBelow(bundle.folder.path)).toEqual([]);
      expect(processesOf(bundle)).toEqual([]);
    });
  }
});

root("a cgroup that is frozen or in use is refused before anything is made", async () => {
  await using bundle = new OciBundle("exec sleep 1000");
  const after = bundle.folder.at("after");
  bundle.configure("exec sleep 1000", {
    hooks: { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `cat > ${after}`] }] },
  });
  const places = placesOf(detectCgroups(), `/${bundle.id}`);
  const freezer = places.find(({ version, hierarchy }) => version === 2 || hierarchy.controllers.includes("freezer"));
  const directory = freezer?.directory ?? "";
  mkdirSync(directory);
  const file = freezer?.version === 1 ? "freezer.state" : "cgroup.freeze";
  writeFileSync(`${directory}/${file}`, freezer?.version === 1 ? "FROZEN" : "1");
  const { stderr } = await bundle.run("create", bundle.id);
  writeFileSync(`${directory}/${file}`, freezer?.version === 1 ? "THAWED" : "0");
  rmdirSync(directory);
  expect(stderr).toContain("container's cgroup unexpectedly frozen");
  expect(readdirSync(bundle.root)).toEqual([]);
  expect(existsSync(after)).toBe(false);
  expect((await bundle.run("create", bundle.id)).status).toBe(0);
});
