/** Filters that ask an agent, of containers and of execs. */
import { expect } from "bun:test";
import { join } from "node:path";
import { syscallNumbers } from "../../src/linux/seccomp/numbers.ts";
import type { SeccompConfig } from "../../src/spec/runtime.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;
const ENOMEDIUM = 123;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 30_000);
}

/** The agent refuses mkdir with ENOMEDIUM; `states` are what it was told. */
class Agent implements AsyncDisposable {
  readonly path: string;
  readonly #child;
  readonly #reader;
  #text = "";

  constructor(bundle: OciBundle) {
    this.path = bundle.folder.at("agent");
    const mkdir = String(syscallNumbers(process.arch === "arm64" ? "aarch64" : "x86_64").get("mkdir"));
    const program = join(import.meta.dir, "seccomp-agent.ts");
    this.#child = Bun.spawn([process.execPath, program, this.path, mkdir, String(ENOMEDIUM)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#reader = this.#child.stdout.getReader();
  }

  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the agent has ended");
      this.#text += new TextDecoder().decode(value);
    }
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}

function filter(listenerPath: string, names: readonly string[]): SeccompConfig {
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath,
    listenerMetadata: "a word",
    flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
    syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
  };
}

const linux = (seccomp: SeccompConfig) => ({
  seccomp,
  namespaces: [{ type: "pid" } as const, { type: "mount" } as const, { type: "ipc" } as const],
});

/** Calls that are made between the filter and the command, too: the agent has to be there for them. */
const watched = [
  "mkdir",
  "mkdirat",
  "execve",
  "openat",
  "read",
  "close",
  "fcntl",
  "sendmsg",
  "clock_gettime",
  "setgroups",
];

for (const noNewPrivileges of [false, true]) {
  root(
    `an agent is told of a container and of an exec, and decides (no new privileges: ${noNewPrivileges})`,
    async () => {
      await using bundle = new OciBundle("exec sleep 1000");
      await using agent = new Agent(bundle);
      expect(await agent.line()).toBe("ready");
      const box = { annotations: { a: "b" }, process: { noNewPrivileges }, linux: linux(filter(agent.path, watched)) };
      bundle.configure("mkdir /tmp/x; exec sleep 1000", box);
      await bundle.ok("create", bundle.id);
      const { pid, ociVersion } = JSON.parse(await bundle.ok("state", bundle.id));
      const state = {
        ociVersion,
        id: bundle.id,
        status: "creating",
        pid,
        bundle: bundle.path,
        annotations: { a: "b" },
      };
      const told = { ociVersion, fds: ["seccompFd"], pid, metadata: "a word", state };
      expect(JSON.parse(await agent.line())).toEqual(told);
      await bundle.ok("start", bundle.id);
      const { status, stderr } = await bundle.run("exec", "--pid-file", "pid", bundle.id, "mkdir", "/tmp/y");
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: "mkdir: can't create directory '/tmp/y': No medium found\n",
      });
      const own = Number(await Bun.file(`${bundle.path}/pid`).text());
      expect(JSON.parse(await agent.line())).toEqual({ ...told, pid: own, state: { ...state, status: "running" } });
    },
  );
}

root("without an agent nothing is made, and the field is named", async () => {
  await using bundle = new OciBundle("true");
  bundle.configure("true", { linux: linux(filter(bundle.folder.at("nobody"), ["mkdir"])) });
  const { status, stderr } = await bundle.run("run", bundle.id);
  expect(status).toBe(1);
  expect(stderr).toContain("failed to connect with seccomp agent specified in the seccomp profile");
  expect(await bundle.ok("list", "-q")).toBe("");
});
