import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { step } from "../recipe/recipe.ts";
import { inOrder, lines, linesOf, machines, start } from "./sample.ts";

describe("the order of a start", () => {
  test("outside: streams, the cgroup to be born in, the clone, and what waits for nobody", () => {
    expect(lines(start(), "outside")).toEqual([
      "pipe(&stdout.read, &stdout.write, O_CLOEXEC)",
      "pipe(&stderr.read, &stderr.write, O_CLOEXEC)",
      'write_file(AT_FDCWD, "/cg/cgroup.subtree_control", "+memory", O_WRONLY, 0)',
      'write_file(AT_FDCWD, "/cg/cgroup.subtree_control", "+pids", O_WRONLY, 0)',
      'make_dirs("/cg/galley", 0755)',
      'write_file(AT_FDCWD, "/cg/galley/cgroup.subtree_control", "+memory", O_WRONLY, 0)',
      'write_file(AT_FDCWD, "/cg/galley/cgroup.subtree_control", "+pids", O_WRONLY, 0)',
      'make_dirs("/cg/galley/c1", 0755)',
      'cgroup = openat(AT_FDCWD, "/cg/galley/c1", O_DIRECTORY|O_CLOEXEC, 0)',
      expect.stringMatching(/^attach_device_filter\(<cgroup>, \[\d+ bytes\]\)$/),
      "pidfd = clone(CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWPID, <cgroup>, 1)",
      "signal(2)",
      "signal(3)",
      "close(<stdout.write>)",
      "close(<stderr.write>)",
    ]);
  });

  test("inside: root, network, cgroup, root entered, credentials, command", () => {
    const all = lines(start({ process: { noNewPrivileges: true }, hostname: "h" }));
    expect(all[0]).toBe("close(<cgroup>)");
    inOrder(all, "umask(0)", "open_tree", "move_mount", "wait(2)", "sethostname", "wait(3)", "pivot_root", "keyctl");
    inOrder(all, "keyctl", "setgroups", "setresgid", "setresuid", "chdir", "check_cwd", "capset", "set_stdio", "exec");
    expect(all.at(-1)).toStartWith('exec(["sh"]');
  });

  test("a small init comes last before the command", () => {
    expect(lines(start({}, machines.v2, { init: true })).slice(-2)[0]).toBe("init()");
  });

  test("steps of other tiers have their turns, and the end of the shim its own", () => {
    const one = (name: string) => [step("chdir", [name], { cause: name })];
    const extra = { outside: one("/out"), inside: one("/in"), cleanup: one("/undo") };
    const recipe = start({ linux: { sysctl: { "kernel.x": "1" } } }, machines.v2, { extra, remove: one("/gone") });
    inOrder(lines(recipe, "outside"), "clone", '"/out"', "signal(2)");
    inOrder(lines(recipe), "wait(2)", '"/in"', "/proc/sys/kernel/x", "wait(3)");
    expect(lines(recipe, "cleanup")[0]).toBe('chdir("/undo")');
    expect(lines(recipe, "remove")).toEqual(['chdir("/gone")']);
  });
});

describe("the shim", () => {
  test("knows the streams and where OOM kills show", () => {
    expect(start({}, machines.v2, { openStdin: true }).shim).toMatchObject({
      stdio: { stdin: "stdin.write", stdout: "stdout.read", stderr: "stderr.read" },
      openStdin: true,
      oom: { path: "/cg/galley/c1/memory.events" },
    });
    expect(start({}, machines.v1).shim?.oom).toEqual({ slot: "oom" });
  });
});

describe("seccomp", () => {
  const seccomp = { defaultAction: "SCMP_ACT_ALLOW" };

  test("without no_new_privs the filter needs privilege; with it, it comes last and filters the least", () => {
    inOrder(lines(start({ linux: { seccomp } })), "seccomp(", "setresuid", "exec");
    const guarded = start({ linux: { seccomp }, process: { noNewPrivileges: true } });
    inOrder(lines(guarded), "prctl(PR_SET_NO_NEW_PRIVS", "setresuid", "check_cwd", "seccomp(");
  });

  test("compiled programs are kept, and compiled again where they are damaged", () => {
    const folder = mkdtempSync("/tmp/galley-filters-");
    const cache = `${folder}/filters`;
    const compile = (): string[] =>
      linesOf(
        start(
          { linux: { seccomp: { ...seccomp, syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG" }] } } },
          machines.v2,
          { filterCache: cache },
        ),
        "linux.seccomp",
      );
    try {
      const first = compile();
      const [name = ""] = readdirSync(cache);
      expect(name).toMatch(/^[0-9a-f]{64}$/);
      expect(statSync(cache).mode & 0o777).toBe(0o700);
      expect(statSync(`${cache}/${name}`).mode & 0o777).toBe(0o600);
      const kept = statSync(`${cache}/${name}`).ino;
      expect(compile()).toEqual(first);
      expect(statSync(`${cache}/${name}`).ino).toBe(kept);
      writeFileSync(`${cache}/${name}`, "x".repeat(40));
      expect(compile()).toEqual(first);
      expect(statSync(`${cache}/${name}`).ino).not.toBe(kept);
      expect(readdirSync(cache)).toEqual([name]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("names and sysctls", () => {
  test("are set in the container's own uts namespace", () => {
    const all = lines(start({ hostname: "box", domainname: "lan" }));
    expect(all).toContain('sethostname("box")');
    expect(all).toContain('setdomainname("lan")');
  });

  test("sysctls are dotted or slashed, as their first separator tells", () => {
    const sysctl = { "net.ipv4.conf.eth0/1.forwarding": "1", "net/ipv4/conf/eth0.2/forwarding": "0" };
    expect(linesOf(start({ linux: { sysctl } }), "linux.sysctl")).toEqual([
      'write_file(AT_FDCWD, "/proc/sys/net/ipv4/conf/eth0.1/forwarding", "1", O_WRONLY, 0)',
      'write_file(AT_FDCWD, "/proc/sys/net/ipv4/conf/eth0.2/forwarding", "0", O_WRONLY, 0)',
    ]);
  });
});
