/** Statistics of block devices (Documentation/admin-guide/cgroup-v1/blkio-controller.rst, cgroup-v2.rst "IO Interface Files"). */
import { type Files, pressureOf, unlessZero } from "./read.ts";
import type { BlkioEntry, BlkioStats, BlkioTable } from "./types.ts";

type Source = readonly [file: string, table: BlkioTable];

const counts: readonly Source[] = [
  ["io_serviced_recursive", "ioServicedRecursive"],
  ["io_service_bytes_recursive", "ioServiceBytesRecursive"],
];

const all: readonly Source[] = [
  ["sectors_recursive", "sectorsRecursive"],
  ["io_service_time_recursive", "ioServiceTimeRecursive"],
  ["io_wait_time_recursive", "ioWaitTimeRecursive"],
  ["io_merged_recursive", "ioMergedRecursive"],
  ["io_queued_recursive", "ioQueueRecursive"],
  ["time_recursive", "ioTimeRecursive"],
  ...counts,
];

/** Which files there are depends on the disk's scheduler and the kernel's options; the first set that says something is taken. */
const sets: readonly (readonly Source[])[] = [
  named("blkio.bfq.", all),
  named("blkio.bfq.", counts),
  named("blkio.", all),
  named("blkio.throttle.", counts),
  [
    ["blkio.throttle.io_serviced", "ioServicedRecursive"],
    ["blkio.throttle.io_service_bytes", "ioServiceBytesRecursive"],
  ],
];

function named(prefix: string, sources: readonly Source[]): Source[] {
  return sources.map(([file, table]) => [`${prefix}${file}`, table]);
}

export function v1Blkio(files: Files): BlkioStats {
  for (const set of sets) {
    const tables = set.map(([file, table]): [BlkioTable, BlkioEntry[]] => [table, parseTable(files.text(file))]);
    if ((tables[0]?.[1].length ?? 0) > 0) return Object.fromEntries(tables.filter(([, rows]) => rows.length > 0));
  }
  return {};
}

/** Lines are `8:0 Read 4096` or `8:0 4096`, and a total over all devices at the end. */
function parseTable(text: string | undefined): BlkioEntry[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const [device = "", ...rest] = line.split(" ");
    if (!device.includes(":")) return [];
    const [op = "", value = op] = rest;
    return [entryOf(device, rest.length > 1 ? op : "", value)];
  });
}

function entryOf(device: string, op: string, value: string): BlkioEntry {
  const [major = "0", minor = "0"] = device.split(":");
  return {
    ...unlessZero("major", BigInt(major)),
    ...unlessZero("minor", BigInt(minor)),
    ...(op === "" ? {} : { op }),
    ...unlessZero("value", BigInt(value)),
  };
}

const fields: Readonly<Record<string, readonly [op: string, table: BlkioTable]>> = {
  rbytes: ["Read", "ioServiceBytesRecursive"],
  wbytes: ["Write", "ioServiceBytesRecursive"],
  rios: ["Read", "ioServicedRecursive"],
  wios: ["Write", "ioServicedRecursive"],
};

/** Lines of io.stat are `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`; each field goes to the table of v1's name. */
export function v2Blkio(files: Files): BlkioStats {
  const tables: Partial<Record<BlkioTable, BlkioEntry[]>> = {};
  for (const line of (files.text("io.stat") ?? "").split("\n")) {
    const [device = "", ...items] = line.split(" ");
    for (const item of items) {
      const [key = "", value = "0"] = item.split("=");
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field === undefined) continue;
      const [op, table] = field;
      tables[table] = [...(tables[table] ?? []), entryOf(device, op, value)];
    }
  }
  return { ...tables, ...pressureOf(files.text("io.pressure")) };
}
