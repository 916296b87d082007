import { expect, test } from "bun:test";
import type { CgroupLayout } from "../detect.ts";
import { hugePageSizes } from "./hugetlb.ts";
import { cgroupStats } from "./stats.ts";

const hierarchy = (mountPoint: string, controllers: readonly string[]) => ({
  mountPoint,
  controllers,
  root: "/",
  self: "/",
});

function stats(layout: CgroupLayout, files: Readonly<Record<string, string>>) {
  return cgroupStats({ layout, path: "/c", read: (path) => files[path], hugePages: ["hugepages-2048kB"] });
}

const v2: CgroupLayout = { mode: "v2", v1: [], v2: hierarchy("/cg", ["cpu", "memory", "pids", "io", "hugetlb"]) };

test("v2, in v1's names and units", () => {
  const { cpu, memory, pids, blkio, hugetlb, cpuset } = stats(v2, {
    "/cg/c/cpu.stat":
      "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 5\nnr_throttled 0\nthrottled_usec 9\nnr_bursts 0\n",
    "/cg/c/cpu.pressure":
      "some avg10=1.25 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.50 total=8\n",
    "/cg/c/memory.stat": "file 30\nanon 20\n",
    "/cg/c/memory.current": "100\n",
    "/cg/c/memory.max": "max\n",
    "/cg/c/memory.peak": "150\n",
    "/cg/c/memory.swap.current": "11\n",
    "/cg/c/memory.swap.max": "5\n",
    "/cg/c/pids.current": "3\n",
    "/cg/c/pids.max": "max\n",
    "/cg/c/io.stat": "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:0\n",
    "/cg/c/hugetlb.2MB.current": "0\n",
    "/cg/c/hugetlb.2MB.events": "max 6\n",
  });
  expect(cpu).toEqual({
    usage: { total: 7000n, kernel: 3000n, user: 4000n },
    throttling: { periods: 5n, throttledTime: 9000n },
    psi: {
      some: { avg10: 1.25, avg60: 0, avg300: 0, total: 77n },
      full: { avg10: 0, avg60: 0, avg300: 0.5, total: 8n },
    },
  });
  const unlimited = 2n ** 64n - 1n;
  expect(memory).toEqual({
    cache: 30n,
    usage: { limit: unlimited, usage: 100n, max: 150n, failcnt: 0n },
    swap: { limit: unlimited, usage: 111n, failcnt: 0n },
    raw: { anon: 20n, file: 30n },
  });
  expect(Object.keys(memory.raw ?? {})).toEqual(["anon", "file"]);
  expect(pids).toEqual({ current: 3n });
  expect(blkio).toEqual({
    ioServiceBytesRecursive: [
      { major: 8n, minor: 16n, op: "Read", value: 1n },
      { major: 8n, minor: 16n, op: "Write", value: 2n },
    ],
    ioServicedRecursive: [
      { major: 8n, minor: 16n, op: "Read", value: 3n },
      { major: 8n, minor: 16n, op: "Write", value: 4n },
    ],
  });
  expect(hugetlb).toEqual({ "2MB": { failcnt: 6n } });
  expect(cpuset).toMatchObject({ cpu_exclusive: 0n, sched_load_balance: 0n });
});

test("v2 without controllers counts the processes; memory and swap are limited together", () => {
  const files = { "/cg/c/cgroup.procs": "1\n22\n", "/cg/c/memory.max": "100\n", "/cg/c/memory.swap.max": "20\n" };
  const { pids, memory, cpu } = stats(v2, files);
  expect(pids).toEqual({ current: 2n });
  expect(memory).toEqual({ usage: { limit: 100n, failcnt: 0n }, swap: { limit: 120n, failcnt: 0n } });
  expect(cpu).toEqual({});
});

test("v1: ticks become nanoseconds, tables are read from the first set of files that has any", () => {
  const v1: CgroupLayout = {
    mode: "v1",
    v1: ["cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "hugetlb"].map((name) => hierarchy(`/${name}`, [name])),
  };
  const { cpu, cpuset, memory, pids, blkio, hugetlb } = stats(v1, {
    "/cpu/c/cpu.stat": "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n",
    "/cpuacct/c/cpuacct.usage": "99\n",
    "/cpuacct/c/cpuacct.stat": "user 2\nsystem 3\n",
    "/cpuacct/c/cpuacct.usage_percpu": "90 9 \n",
    "/cpuacct/c/cpuacct.usage_all": "cpu user system\n0 50 40\n1 5 4\n",
    "/cpuset/c/cpuset.cpus": "0-1,4\n",
    "/cpuset/c/cpuset.mems": "0\n",
    "/cpuset/c/cpuset.sched_relax_domain_level": "-1\n",
    "/memory/c/memory.limit_in_bytes": "9223372036854771712\n",
    "/memory/c/memory.usage_in_bytes": "5\n",
    "/memory/c/memory.failcnt": "7\n",
    "/pids/c/pids.current": "1\n",
    "/pids/c/pids.max": "20\n",
    "/blkio/c/blkio.bfq.io_serviced_recursive": "Total 0\n",
    "/blkio/c/blkio.throttle.io_serviced_recursive": "8:0 Read 2\n8:0 Total 2\nTotal 2\n",
    "/blkio/c/blkio.throttle.io_service_bytes_recursive": "8:0 Read 512\nTotal 512\n",
    "/hugetlb/c/hugetlb.2MB.rsvd.usage_in_bytes": "4\n",
    "/hugetlb/c/hugetlb.2MB.rsvd.max_usage_in_bytes": "8\n",
    "/hugetlb/c/hugetlb.2MB.rsvd.failcnt": "1\n",
  });
  expect(cpu).toEqual({
    usage: {
      total: 99n,
      percpu: [90n, 9n],
      percpu_kernel: [40n, 4n],
      percpu_user: [50n, 5n],
      kernel: 30_000_000n,
      user: 20_000_000n,
    },
    throttling: { periods: 1n, throttledPeriods: 2n, throttledTime: 3n },
  });
  expect(cpuset).toMatchObject({ cpus: [0, 1, 4], mems: [0], sched_relax_domain_level: -1n });
  expect(memory).toEqual({ usage: { limit: 9223372036854771712n, usage: 5n, failcnt: 7n } });
  expect(pids).toEqual({ current: 1n, limit: 20n });
  expect(blkio).toEqual({
    ioServicedRecursive: [
      { major: 8n, op: "Read", value: 2n },
      { major: 8n, op: "Total", value: 2n },
    ],
    ioServiceBytesRecursive: [{ major: 8n, op: "Read", value: 512n }],
  });
  expect(hugetlb).toEqual({ "2MB": { usage: 4n, max: 8n, failcnt: 1n } });
});

test("sizes of huge pages have the names that the controller's files have", () => {
  expect(hugePageSizes(["hugepages-64kB", "hugepages-2048kB", "hugepages-1048576kB", "else"])).toEqual([
    "64KB",
    "2MB",
    "1GB",
  ]);
});
