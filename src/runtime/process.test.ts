import { describe, expect, test } from "bun:test";
import { exec, inOrder, lines, linesOf, machines, start } from "./sample.ts";

describe("credentials", () => {
  test("user, group and further groups; groups while it still may", () => {
    const all = lines(start({ process: { user: { uid: 5, gid: 6, umask: 0o77, additionalGids: [7, 8] } } }));
    inOrder(
      all,
      "prctl(PR_SET_KEEPCAPS, 1",
      "setgroups(2, [0700000008000000])",
      "setresgid(6, 6, 6)",
      "setresuid(5, 5, 5)",
    );
    inOrder(all, "setresuid(5", "capset(", "umask(077)");
  });

  test("capabilities: the rest is dropped from the bounding set, ambient ones are raised after capset", () => {
    const chown = ["CAP_CHOWN"];
    const capabilities = {
      bounding: ["CAP_CHOWN", "CAP_KILL"],
      effective: chown,
      permitted: chown,
      inheritable: chown,
      ambient: chown,
    };
    const all = lines(start({ process: { capabilities } }));
    expect(all).not.toContain("prctl(PR_CAPBSET_DROP, 0, 0, 0, 0)");
    expect(all).not.toContain("prctl(PR_CAPBSET_DROP, 5, 0, 0, 0)");
    inOrder(
      all,
      "prctl(PR_CAPBSET_DROP, 1, 0, 0, 0)",
      "setresuid",
      "capset([2205082000000000], [010000000100000001000000000000000000000000000000])",
      "prctl(PR_CAP_AMBIENT, 4",
      "prctl(PR_CAP_AMBIENT, 2, 0, 0, 0)",
    );
  });

  test("no capabilities at all where none are given", () => {
    expect(linesOf(start(), "process.capabilities.bounding").length).toBeGreaterThan(35);
    const capset = start().sections.inside?.find(({ op }) => op === "capset");
    expect(capset?.args[1]).toEqual(new Uint8Array(24));
  });
});

describe("limits", () => {
  test("rlimits and the OOM score", () => {
    const recipe = start({ process: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 10, hard: 20 }], oomScoreAdj: -500 } });
    expect(lines(recipe)).toContain("setrlimit(RLIMIT_NOFILE, 10, 20)");
    inOrder(
      lines(recipe, "outside"),
      "clone(",
      "proc = open_proc()",
      'write_file(<proc>, "oom_score_adj", "-500"',
      "signal(3)",
    );
  });
});

describe("the working directory and the command", () => {
  test("the directory is made in the root, entered as the user, and checked", () => {
    const all = lines(start({ process: { cwd: "/work" } }));
    inOrder(
      all,
      'resolve(<root>, "/work", directory',
      "pivot_root",
      "close_range(3, 0xffffffff, CLOSE_RANGE_CLOEXEC)",
      "setresuid",
      'chdir("/work")',
      "check_cwd()",
    );
  });

  test("PATH of the process finds the command, its last one, or the usual one", () => {
    expect(lines(start({ process: { env: ["PATH=/a", "PATH=/b:/c"] } })).at(-1)).toEndWith('"/b:/c")');
    expect(lines(start()).at(-1)).toContain("/usr/local/sbin:");
  });
});

describe("streams", () => {
  test("a terminal is the container's own: its master goes out, the console is bound, the size is set", () => {
    const recipe = start({
      process: { terminal: true, consoleSize: { height: 24, width: 80 }, user: { uid: 9, gid: 9 } },
    });
    inOrder(
      lines(recipe),
      'tty.master = open_ptmx(<root>, "/dev/pts/ptmx")',
      "tty = pty_peer",
      'fchownat(<tty>, "", 9, ',
      "send_fd(<tty.master>)",
      '"/dev/console"',
    );
    inOrder(lines(recipe), "setresuid", "set_controlling_tty(<tty>)", "set_stdio(<tty>, <tty>, <tty>)", "exec");
    expect(lines(recipe)).toContain("set_window_size(<tty.master>, 24, 80)");
    expect(lines(recipe, "outside")).toContain("tty.master = recv_fd()");
    expect(recipe.shim?.stdio).toEqual({ tty: "tty.master" });
  });

  test("pipes belong to the user, so that /dev/stdout can be opened", () => {
    const recipe = start({ process: { user: { uid: 9, gid: 8 } } }, machines.v2, { openStdin: true });
    const chowns = lines(recipe, "outside").filter((line) => line.startsWith("fchownat"));
    expect(chowns).toEqual([
      'fchownat(<stdin.read>, "", 9, 8, AT_EMPTY_PATH)',
      'fchownat(<stdout.write>, "", 9, 8, AT_EMPTY_PATH)',
      'fchownat(<stderr.write>, "", 9, 8, AT_EMPTY_PATH)',
    ]);
  });
});

describe("exec", () => {
  test("joins all namespaces, its cgroup from birth, and is the very container's", () => {
    const recipe = exec();
    expect(lines(recipe, "outside")).toEqual([
      "pipe(&stdout.read, &stdout.write, O_CLOEXEC)",
      "pipe(&stderr.read, &stderr.write, O_CLOEXEC)",
      "container = open_pid(7, 8)",
      "setns(<container>, CLONE_NEWPID)",
      'cgroup = openat(AT_FDCWD, "/cg/galley/c1", O_DIRECTORY|O_CLOEXEC, 0)',
      "pidfd = clone(0, <cgroup>, 1)",
      "signal(3)",
      "close(<stdout.write>)",
      "close(<stderr.write>)",
    ]);
    expect(lines(recipe).slice(0, 5)).toEqual([
      "close(<cgroup>)",
      "sched_setaffinity(0, [1024 bytes])",
      "setns(<container>, CLONE_NEWNS|CLONE_NEWUTS)",
      "setsid()",
      "wait(3)",
    ]);
    expect(recipe.sections.cleanup).toBeUndefined();
  });

  test("v1: it enters every hierarchy before it joins, and no limit is written again", () => {
    const recipe = exec({}, { linux: { resources: { memory: { limit: 8192 } } } }, machines.v1);
    const entered = lines(recipe).slice(0, 5);
    expect(entered.every((line) => line.endsWith('/galley/c1/tasks", "0", O_WRONLY, 0)'))).toBe(true);
    expect(lines(recipe)[6]).toStartWith("setns(");
    expect(lines(recipe, "outside").filter((line) => /write_|make_dirs/.test(line))).toEqual([]);
  });

  test("without a pid namespace there is none to join", () => {
    const recipe = exec({}, { linux: { namespaces: [{ type: "mount" }] } });
    expect(lines(recipe, "outside").some((line) => line.startsWith("setns"))).toBe(false);
  });

  test("a terminal comes from the container's devpts; its console stays the first process's", () => {
    const all = lines(exec({ terminal: true }));
    expect(all).toContain('tty.master = open_ptmx(AT_FDCWD, "/dev/pts/ptmx")');
    expect(all.some((line) => line.includes("console"))).toBe(false);
  });

  test("the container's OOM score and filter hold for it", () => {
    const recipe = exec({}, { process: { oomScoreAdj: 3 }, linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW" } } });
    expect(lines(recipe, "outside")).toContain('write_file(<proc>, "oom_score_adj", "3", O_WRONLY, 0)');
    expect(lines(recipe).some((line) => line.startsWith("seccomp("))).toBe(true);
  });
});
