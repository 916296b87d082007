/** Statistics of huge pages (Documentation/admin-guide/cgroup-v1/hugetlb.rst; the same controller in both versions). */
import { type Files, unlessZero } from "./read.ts";
import type { CgroupStats, HugetlbEntry } from "./types.ts";

/** The kernel's names for its sizes of huge pages in files of the controller, from the names below /sys/kernel/mm/hugepages. */
export function hugePageSizes(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const kilobytes = /^hugepages-(\d+)kB$/.exec(name)?.[1];
    return kilobytes === undefined ? [] : [sizeName(Number(kilobytes))];
  });
}

function sizeName(kilobytes: number): string {
  if (kilobytes >= 2 ** 20) return `${kilobytes / 2 ** 20}GB`;
  return kilobytes >= 1024 ? `${kilobytes / 1024}MB` : `${kilobytes}KB`;
}

export function hugetlbStats(files: Files, sizes: readonly string[]): CgroupStats["hugetlb"] {
  return Object.fromEntries(
    sizes.flatMap((size) => {
      const entry = entryOf(files, `hugetlb.${size}`);
      return entry === undefined ? [] : [[size, entry] as const];
    }),
  );
}

/** Reservations count, where the kernel counts them (Linux 5.7): what is reserved is not to be had by others. */
function entryOf(files: Files, prefix: string): HugetlbEntry | undefined {
  for (const name of [`${prefix}.rsvd`, prefix]) {
    const v1 = files.count(`${name}.usage_in_bytes`);
    const usage = v1 ?? files.count(`${name}.current`);
    if (usage === undefined) continue;
    const failcnt = v1 === undefined ? files.table(`${prefix}.events`)?.max : files.count(`${name}.failcnt`);
    return {
      ...unlessZero("usage", usage),
      ...unlessZero("max", files.count(`${name}.max_usage_in_bytes`)),
      failcnt: failcnt ?? 0n,
    };
  }
  return undefined;
}
