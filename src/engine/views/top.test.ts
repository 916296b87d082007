import { describe, expect, test } from "bun:test";
import { containerProcesses } from "./container-processes.ts";
import { processFacts } from "./process-facts.ts";
import { topOf } from "./top.ts";
import { columns } from "./top-columns.ts";
import { clockTime, elapsedTime, processState, startDate, terminalName } from "./top-format.ts";
import { readPsOptions } from "./top-options.ts";

const headings = (...args: readonly string[]) =>
  readPsOptions(args)
    .map(({ heading }) => heading)
    .join(" ");

describe("options", () => {
  test.each([
    [[], "UID PID PPID C STIME TTY TIME CMD"],
    [["-ef"], "UID PID PPID C STIME TTY TIME CMD"],
    [["aux"], "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
    [["axl"], "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND"],
    [["-e", "-l"], "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD"],
    [["-A"], "PID TTY TIME CMD"],
    [["-o", "pid,comm,args"], "PID COMMAND COMMAND"],
    [["-eo", "pid", "-o", "user=WHO"], "PID WHO"],
    [["-opid,etime"], "PID ELAPSED"],
    [["--format=pid,nlwp"], "PID NLWP"],
  ])("%j choose columns", (args, expected) => expect(headings(...args)).toBe(expected));

  test("that are not known, or leave the number out, are refused in docker's words", () => {
    expect(() => headings("-o", "bogus")).toThrow('ps: error: unknown user-defined format specifier "bogus"');
    expect(() => headings("-o", "comm")).toThrow("Couldn't find PID field in ps output");
    expect(() => headings("-Z")).toThrow("ps: error: unsupported option (-Z)");
    expect(() => headings("--forest")).toThrow("ps: error: unsupported option (--forest)");
  });
});

const moment = { now: Date.parse("2026-06-15T12:00:00"), uptime: 1000, memory: 1000 };
/** Fields 3 to 39: state S, parent 1, group 5, session 5, terminal pts/3, foreground 5, …, started 100 s after boot. */
const stat = "S 1 5 5 34819 5 4194560 0 0 0 0 9000 100 0 0 20 0 2 0 10000 2097152 25 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1";
const files: Readonly<Record<string, string>> = {
  "/proc/5/stat": `5 (a) b (c) ${stat}`,
  "/proc/5/status": "Name:\ta\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nVmLck:\t       8 kB\n",
  "/proc/5/cmdline": "sleep\x001\x1b[2J\0\0",
};

describe("a process", () => {
  const facts = processFacts(5, moment, (path) => files[path] ?? "")!;
  const context = { ...moment, userName: (id: number) => `u${id}`, groupName: (id: number) => `g${id}` };
  const show = (name: string) => columns[name]?.show(facts, context);

  test("is read whatever its name", () => {
    expect(facts).toMatchObject({
      comm: "a) b (c",
      command: "sleep 1?[2J",
      ppid: 1,
      cpuTime: 91,
      elapsed: 900,
      threads: 2,
    });
    expect(facts).toMatchObject({ virtual: 2048, resident: 100, locked: 8, uid: { real: 1, effective: 2 } });
  });

  test("is shown as ps shows it", () => {
    const names = [
      "user",
      "ruid",
      "group",
      "c",
      "%cpu",
      "%mem",
      "tty",
      "stat",
      "time",
      "bsdtime",
      "etime",
      "pri",
      "psr",
    ];
    expect(names.map(show)).toEqual([
      "u2",
      "1",
      "g6",
      "10",
      "10.1",
      "10.0",
      "pts/3",
      "SLsl+",
      "00:01:31",
      "1:31",
      "15:00",
      "19",
      "1",
    ]);
  });

  test("that is gone is none", () => {
    const gone = () => {
      throw Object.assign(new Error("gone"), { code: "ESRCH" });
    };
    expect(processFacts(5, moment, gone)).toBeUndefined();
  });
});

test("times, terminals and states are written as ps writes them", () => {
  expect([clockTime(59), clockTime(3661), clockTime(90_000)]).toEqual(["00:00:59", "01:01:01", "01-01:00:00"]);
  expect([elapsedTime(59), elapsedTime(3661)]).toEqual(["00:59", "01:01:01"]);
  const day = 86_400_000;
  expect([0, 30 * day, 400 * day].map((ago) => startDate(moment.now - ago, moment.now))).toEqual([
    "12:00",
    "May16",
    "2025",
  ]);
  expect([0, 0x8805, 0x401, 0x440, 0x501].map(terminalName)).toEqual(["?", "pts/5", "tty1", "ttyS0", "console"]);
  const idle = {
    ...processFacts(5, moment, (path) => files[path] ?? "")!,
    nice: 5,
    locked: 0,
    session: 1,
    threads: 1,
    foreground: 0,
  };
  expect(processState(idle)).toBe("SN");
});

test("this very process is found and shown", () => {
  const none = { mode: "none" as const, v1: [] };
  expect(containerProcesses("/galley/none", process.pid, none)).toEqual([process.pid]);
  const { titles, processes } = topOf({
    cgroupPath: "/galley/no-such-container",
    pid: process.pid,
    options: ["-o", "pid,comm"],
  });
  expect(titles).toEqual(["PID", "COMMAND"]);
  expect(processes.map(([pid]) => pid)).toContain(String(process.pid));
});
