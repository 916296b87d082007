/**
 * Stands in for the kernel's resctrl on machines whose processor has none of it: groups, tasks, schemata and monitoring files behave as
 * Documentation/filesystems/resctrl.rst says. A program of its own: `bun resctrl-stand-in.ts DIRECTORY`, in a mount namespace of its own.
 */
import { existsSync, writeFileSync } from "node:fs";
import { errno } from "../../src/linux/errno.ts";
import { type DirectoryNode, type FileNode, type Node, serveTree } from "../harness/fuse.ts";

const CLASSES = 4;
const MONITORS = 3;
const FULL: Readonly<Record<string, string>> = { L3: "fffff", MB: "100" };

interface Group {
  readonly tasks: Set<number>;
  readonly values: Map<string, string>;
}

let status = "ok";
const groups = new Set<Group>();

function fails(error: number, why: string): never {
  status = why;
  throw error;
}

function constant(text: string): FileNode {
  return { read: () => `${text}\n` };
}

function directory(entries: Readonly<Record<string, Node>>): DirectoryNode {
  return { entries: new Map(Object.entries(entries)) };
}

function tasksOf(group: Group, mayTake: (pid: number) => boolean): FileNode {
  return {
    read: () =>
      [...group.tasks]
        .filter(isThere)
        .map((pid) => `${pid}\n`)
        .join(""),
    write(text) {
      status = "ok";
      const pid = Number(text);
      if (!isThere(pid)) fails(errno.ESRCH, `No task ${pid}`);
      if (!mayTake(pid)) fails(errno.EINVAL, "Can't move task to different control group");
      for (const other of groups) other.tasks.delete(pid);
      group.tasks.add(pid);
    },
  };
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function schemataOf({ values }: Group): FileNode {
  return {
    read: () => [...values].map(([name, value]) => `${name.padStart(6)}:0=${value};1=${value}\n`).join(""),
    write(text) {
      status = "ok";
      for (const line of text.split("\n").slice(0, -1)) {
        const [name = "", domains = ""] = line.trim().split(":");
        if (!values.has(name)) fails(errno.EINVAL, `Unknown or unsupported resource name '${name}'`);
        // A stand-in needs no more than the first of its two domains.
        values.set(name, accepted(name, domains.split(";")[0]?.split("=")[1] ?? ""));
      }
    },
  };
}

function accepted(name: string, value: string): string {
  if (name === "MB") return String(Math.ceil(Number(value) / 10) * 10);
  const mask = Number.parseInt(value, 16).toString(2);
  if (!/^1+0*$/.test(mask))
    fails(errno.EINVAL, `The mask ${Number.parseInt(value, 16).toString(16)} has non-consecutive 1-bits`);
  return Number.parseInt(value, 16).toString(16);
}

function counters(): DirectoryNode {
  const domain = () =>
    directory({
      llc_occupancy: constant("65536"),
      mbm_total_bytes: constant("18446744073709551615"),
      mbm_local_bytes: constant("Unavailable"),
    });
  return directory({ mon_L3_00: domain(), mon_L3_01: domain() });
}

function newGroup(): Group {
  const group = { tasks: new Set<number>(), values: new Map(Object.entries(FULL)) };
  groups.add(group);
  return group;
}

function controlGroup(more: Readonly<Record<string, Node>> = {}): DirectoryNode {
  const group = newGroup();
  return directory({
    ...more,
    tasks: tasksOf(group, () => true),
    schemata: schemataOf(group),
    mon_data: counters(),
    mon_groups: monitoringGroups(group),
  });
}

function monitoringGroups(above: Group): DirectoryNode {
  const entries = new Map<string, Node>();
  return {
    entries,
    make(name) {
      status = "ok";
      if (entries.size >= MONITORS) fails(errno.ENOSPC, "Out of RMIDs");
      const group = newGroup();
      const mayTake = (pid: number) => above.tasks.has(pid) || group.tasks.has(pid);
      const tasks = tasksOf(group, mayTake);
      // In this stand-in a task is listed by both, as it is by the kernel.
      const joined: FileNode = {
        ...tasks,
        write(text) {
          tasks.write?.(text);
          above.tasks.add(Number(text));
        },
      };
      entries.set(name, directory({ tasks: joined, mon_data: counters() }));
    },
    remove: (name) => void entries.delete(name),
  };
}

function top(): DirectoryNode {
  const info = directory({
    last_cmd_status: { read: () => `${status}\n` },
    L3: directory({ cbm_mask: constant("fffff"), min_cbm_bits: constant("1"), num_closids: constant(String(CLASSES)) }),
    MB: directory({
      bandwidth_gran: constant("10"),
      delay_linear: constant("1"),
      min_bandwidth: constant("10"),
      num_closids: constant(String(CLASSES)),
    }),
    L3_MON: directory({ mon_features: constant("llc_occupancy\nmbm_total_bytes\nmbm_local_bytes") }),
  });
  const root = controlGroup({ info });
  const own = root.entries.size;
  return {
    entries: root.entries,
    make(name) {
      status = "ok";
      if (root.entries.size - own >= CLASSES - 1) fails(errno.ENOSPC, "Out of CLOSIDs");
      root.entries.set(name, controlGroup());
    },
    remove(name) {
      if (name === "info") throw errno.EPERM;
      root.entries.delete(name);
    },
  };
}

const [target = ""] = process.argv.slice(2);
serveTree(top(), target, () => writeFileSync(`${target}.ready`, ""));
