/** Memory statistics (Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst "Memory Interface Files"). */
import { type Files, pressureOf, UNLIMITED, unlessEmpty, unlessZero } from "./read.ts";
import type { Count, MemoryEntry, MemoryStats } from "./types.ts";

export function v1Memory(files: Files): MemoryStats {
  const raw = files.table("memory.stat");
  const entry = (module: string): MemoryEntry => {
    const count = (name: string): Count | undefined => files.count(`${module}.${name}`);
    return entryOf(count("limit_in_bytes"), count("usage_in_bytes"), count("max_usage_in_bytes"), count("failcnt"));
  };
  return {
    ...unlessZero("cache", raw?.cache),
    ...unlessEmpty("usage", entry("memory")),
    ...unlessEmpty("swap", entry("memory.memsw")),
    ...unlessEmpty("kernel", entry("memory.kmem")),
    ...unlessEmpty("kernelTCP", entry("memory.kmem.tcp")),
    ...sorted(raw),
  };
}

/** v2 counts swap alone; the shape has memory and swap together, and no peak of both. */
export function v2Memory(files: Files): MemoryStats {
  const raw = files.table("memory.stat");
  const limit = files.count("memory.max") ?? 0n;
  const usage = files.count("memory.current") ?? 0n;
  const swapLimit = files.count("memory.swap.max") ?? 0n;
  const both = swapLimit === UNLIMITED || limit === UNLIMITED ? UNLIMITED : swapLimit + limit;
  const swap = usage + (files.count("memory.swap.current") ?? 0n);
  return {
    ...unlessZero("cache", raw?.file),
    ...unlessEmpty("usage", entryOf(limit, usage, files.count("memory.peak"), 0n)),
    ...unlessEmpty("swap", entryOf(both, swap, 0n, 0n)),
    ...sorted(raw),
    ...pressureOf(files.text("memory.pressure")),
  };
}

function entryOf(limit: Count = 0n, usage?: Count, max?: Count, failcnt: Count = 0n): MemoryEntry {
  return { limit, ...unlessZero("usage", usage), ...unlessZero("max", max), failcnt };
}

function sorted(raw: Readonly<Record<string, Count>> | undefined): Pick<MemoryStats, "raw"> {
  if (raw === undefined || Object.keys(raw).length === 0) return {};
  return { raw: Object.fromEntries(Object.entries(raw).sort(([one], [other]) => (one < other ? -1 : 1))) };
}
