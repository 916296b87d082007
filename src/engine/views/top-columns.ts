/** The columns of ps(1) that `top` shows, by the names that its `-o` takes. */
import type { Moment, ProcessFacts } from "./process-facts.ts";
import { clockTime, cpuShare, elapsedTime, processState, startClock, startDate, terminalName } from "./top-format.ts";

/** What a column may need beyond the process. */
export interface ColumnContext extends Moment {
  userName(uid: number): string;
  groupName(gid: number): string;
}

export interface Column {
  readonly heading: string;
  readonly show: (process: ProcessFacts, context: ColumnContext) => string;
}

const column = (heading: string, show: Column["show"]): Column => ({ heading, show });

const user = column("USER", ({ uid }, { userName }) => userName(uid.effective));
const group = column("GROUP", ({ gid }, { groupName }) => groupName(gid.effective));
const uid = column("UID", ({ uid: ids }) => String(ids.effective));
const gid = column("GID", ({ gid: ids }) => String(ids.effective));
const pgid = column("PGID", (process) => String(process.pgid));
const session = column("SID", (process) => String(process.session));
const cpu = column("%CPU", (process) => cpuShare(process).toFixed(1));
const memory = column("%MEM", ({ resident }, { memory: all }) => (all > 0 ? (100 * resident) / all : 0).toFixed(1));
const virtual = column("VSZ", (process) => String(process.virtual));
const resident = column("RSS", (process) => String(process.resident));
const terminal = column("TT", (process) => terminalName(process.tty));
const time = column("TIME", ({ cpuTime }) => clockTime(cpuTime));
const threads = column("NLWP", (process) => String(process.threads));
const nice = column("NI", (process) => String(process.nice));
const flags = column("F", (process) => ((process.flags >>> 6) & 5).toString(8));
const name = column("COMMAND", ({ comm, state }) => (state === "Z" ? `${comm} <defunct>` : comm));
const command = column("COMMAND", ({ command: text, state }) => (state === "Z" ? `${text} <defunct>` : text));

/** By name; several have more than one. */
export const columns: Readonly<Record<string, Column>> = {
  user,
  uname: user,
  euser: { ...user, heading: "EUSER" },
  ruser: column("RUSER", ({ uid: ids }, { userName }) => userName(ids.real)),
  uid,
  euid: { ...uid, heading: "EUID" },
  ruid: column("RUID", ({ uid: ids }) => String(ids.real)),
  group,
  egroup: { ...group, heading: "EGROUP" },
  rgroup: column("RGROUP", ({ gid: ids }, { groupName }) => groupName(ids.real)),
  gid,
  egid: { ...gid, heading: "EGID" },
  rgid: column("RGID", ({ gid: ids }) => String(ids.real)),
  pid: column("PID", (process) => String(process.pid)),
  tgid: column("TGID", (process) => String(process.pid)),
  ppid: column("PPID", (process) => String(process.ppid)),
  pgid,
  pgrp: { ...pgid, heading: "PGRP" },
  sid: session,
  sess: { ...session, heading: "SESS" },
  session: { ...session, heading: "SESS" },
  c: column("C", (process) => String(Math.min(99, Math.floor(cpuShare(process))))),
  pcpu: cpu,
  "%cpu": cpu,
  pmem: memory,
  "%mem": memory,
  vsz: virtual,
  vsize: virtual,
  rss: resident,
  rssize: resident,
  rsz: { ...resident, heading: "RSZ" },
  sz: column("SZ", (process) => String(Math.floor(process.virtual / 4))),
  tty: terminal,
  tt: terminal,
  tname: { ...terminal, heading: "TTY" },
  stat: column("STAT", processState),
  state: column("S", ({ state }) => state),
  s: column("S", ({ state }) => state),
  stime: column("STIME", ({ started }, { now }) => startDate(started, now)),
  start_time: column("START", ({ started }, { now }) => startDate(started, now)),
  bsdstart: column("START", ({ started }, { now }) => startDate(started, now)),
  start: column("STARTED", ({ started }, { now }) => startClock(started, now)),
  lstart: column("STARTED", ({ started }) => new Date(started).toString().slice(0, 24)),
  time,
  cputime: time,
  bsdtime: column(
    "TIME",
    ({ cpuTime }) => `${Math.floor(cpuTime / 60)}:${String(Math.floor(cpuTime % 60)).padStart(2, "0")}`,
  ),
  etime: column("ELAPSED", ({ elapsed }) => elapsedTime(elapsed)),
  etimes: column("ELAPSED", ({ elapsed }) => String(Math.floor(elapsed))),
  nlwp: threads,
  thcount: { ...threads, heading: "THCNT" },
  ni: nice,
  nice,
  pri: column("PRI", ({ priority }) => String(39 - priority)),
  opri: column("PRI", ({ priority }) => String(60 + priority)),
  psr: column("PSR", (process) => String(process.processor)),
  f: flags,
  flags,
  flag: flags,
  wchan: column("WCHAN", () => "-"),
  addr: column("ADDR", () => "-"),
  comm: name,
  ucmd: { ...name, heading: "CMD" },
  ucomm: name,
  args: command,
  command,
  cmd: { ...command, heading: "CMD" },
};
