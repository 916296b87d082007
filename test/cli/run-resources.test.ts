/** Flags of `run` about what the container may use, and what becomes of its log and its end. */
import { describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags, showFlags, tryFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();
const unified = existsSync("/sys/fs/cgroup/cgroup.controllers");

/** Shows a setting of the container's cgroup: one file where cgroup v2 is alone, another below its controller. */
function cgroup(v2: string, controller: string, v1: string): string {
  return unified ? `cat /sys/fs/cgroup/${v2}` : `cat /sys/fs/cgroup/${controller}/${v1}`;
}

const memory = cgroup("memory.max", "memory", "memory.limit_in_bytes");
const swap = cgroup("memory.swap.max", "memory", "memory.memsw.limit_in_bytes");
const cpu = unified
  ? "cat /sys/fs/cgroup/cpu.max"
  : "cd /sys/fs/cgroup/cpu; echo $(cat cpu.cfs_quota_us cpu.cfs_period_us)";

tryFlags("the container has", store, [
  ["-m 64m", memory, "67108864"],
  ["--memory 64m --memory-reservation 32m", cgroup("memory.low", "memory", "memory.soft_limit_in_bytes"), "33554432"],
  ["--cpus 0.5", cpu, "50000 100000"],
  ["--cpu-quota 20000 --cpu-period 50000", cpu, "20000 50000"],
  ["--cpuset-cpus 0", cgroup("cpuset.cpus.effective", "cpuset", "cpuset.cpus"), "0"],
  ["--cpuset-mems 0", cgroup("cpuset.mems.effective", "cpuset", "cpuset.mems"), "0"],
  ["--pids-limit 77", cgroup("pids.max", "pids", "pids.max"), "77"],
  ["--pids-limit -1", cgroup("pids.max", "pids", "pids.max"), "max"],
  ["--ulimit nofile=99:100", "ulimit -Sn; ulimit -Hn", "99\n100"],
  ["--ulimit core=0 --ulimit nproc=1000", "ulimit -c; grep -c 'processes *1000 *1000' /proc/self/limits", "0\n1"],
  ["--cgroupns host --cgroup-parent /galley-test/parent", "grep -c /galley-test/parent/ /proc/self/cgroup", /^[1-9]/],
  ["--ulimit nofile=99", "ulimit -Sn; ulimit -Hn", "99\n99"],
  ["-m 64m --memory-swap 96m", swap, unified ? "33554432" : "100663296"],
  ["-m 64m --memory-swap 64m", swap, unified ? "0" : "67108864"],
  ["-m 64m --memory-swap -1", swap, unified ? "max" : /^\d{16,}$/m],
]);

if (!unified) {
  tryFlags("on cgroup v1 the container has", store, [
    ["--cpu-shares 512", "cat /sys/fs/cgroup/cpu/cpu.shares", "512"],
    ["-c 256", "cat /sys/fs/cgroup/cpu/cpu.shares", "256"],
    ["-m 64m --memory-swappiness 7", "cat /sys/fs/cgroup/memory/memory.swappiness", "7"],
    ["-m 64m --oom-kill-disable", "head -1 /sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 1"],
  ]);
}

showFlags("inspect shows", store, [
  ["-m 64m --memory-swap 96m", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "67108864 100663296"],
  ["-m 64m", "{{.HostConfig.MemorySwap}}", "134217728"],
  ["-m 64m --memory-swap -1", "{{.HostConfig.MemorySwap}}", "-1"],
  ["-m 64m --memory-reservation 32m", "{{.HostConfig.MemoryReservation}}", "33554432"],
  ["--cpus 1.5 --cpu-shares 12", "{{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}}", "1500000000 12"],
  ["--cpu-quota 20000 --cpu-period 50000", "{{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}}", "20000 50000"],
  ["--cpuset-cpus 0 --cpuset-mems 0", "{{.HostConfig.CpusetCpus}} {{.HostConfig.CpusetMems}}", "0 0"],
  ["--pids-limit 77", "{{.HostConfig.PidsLimit}}", "77"],
  ["--shm-size 2m", "{{.HostConfig.ShmSize}}", "2097152"],
  ["--ulimit nofile=9:10", "{{json .HostConfig.Ulimits}}", '[{"Name":"nofile","Hard":10,"Soft":9}]'],
  ["--cgroup-parent /x", "{{.HostConfig.CgroupParent}}", "/x"],
  ["--restart always", "{{json .HostConfig.RestartPolicy}}", '{"Name":"always","MaximumRetryCount":0}'],
  ["--restart unless-stopped", "{{.HostConfig.RestartPolicy.Name}}", "unless-stopped"],
  ["--restart on-failure:3", "{{json .HostConfig.RestartPolicy}}", '{"Name":"on-failure","MaximumRetryCount":3}'],
  ["", "{{.HostConfig.RestartPolicy.Name}} {{json .HostConfig.LogConfig}}", 'no {"Type":"json-file","Config":{}}'],
  ["--log-driver json-file --log-opt max-size=1m", "{{.HostConfig.LogConfig}}", "{json-file map[max-size:1m]}"],
]);

refuseFlags("refused:", store, [
  ["-m lots", "lots"],
  ["-m 1k", "Minimum memory limit allowed is 6MB"],
  ["-m 64m --memory-reservation 128m", "memory"],
  ["-m 64m --memory-swap 32m", "swap"],
  ["--memory-swap 64m", "You should always set the Memory limit when using Memoryswap limit"],
  ["-m 64m --memory-swappiness 101", "101"],
  ["--cpus 0.001", "range of CPUs is from 0.01 to"],
  ["--cpus 10000", "range of CPUs is from 0.01 to"],
  ["--cpus 1 --cpu-quota 1000", "Nano CPUs and CPU Quota cannot both be set"],
  ["--cpu-period 1", "CPU cfs period"],
  ["--cpu-quota 1", "CPU cfs quota"],
  ["--cpu-shares x", "x"],
  ["--cpuset-cpus 999", "999"],
  ["--cpuset-mems 999", "999"],
  ["--pids-limit many", "many"],
  ["--ulimit nosuch=1", "nosuch"],
  ["--ulimit nofile=2:1", "nofile"],
  ["--blkio-weight 5", "Range of blkio weight is from 10 to 1000"],
  ["--restart sometimes", "sometimes"],
  ["--restart always", "cannot specify both --restart and --rm"],
  ["--log-driver syslog", "no log driver named 'syslog'"],
  ["--log-driver none --log-opt max-size=1m", "invalid logging opts for driver none"],
  ["--log-opt nosuch=1", "nosuch"],
  ["--log-opt max-size=much", "much"],
  ["--log-opt bare", "it takes key=value"],
  ["--blkio-weight-device /dev/vda:10", "--blkio-weight-device is not supported"],
  ["--device-read-bps /dev/vda:1mb", "--device-read-bps is not supported"],
  ["--device-write-bps /dev/vda:1mb", "--device-write-bps is not supported"],
  ["--device-read-iops /dev/vda:1", "--device-read-iops is not supported"],
  ["--device-write-iops /dev/vda:1", "--device-write-iops is not supported"],
  ["--cpu-rt-period 1", "--cpu-rt-period is not supported"],
  ["--cpu-rt-runtime 1", "--cpu-rt-runtime is not supported"],
  ["--cpu-count 1", "--cpu-count is not supported: it is for Windows"],
  ["--cpu-percent 1", "--cpu-percent is not supported: it is for Windows"],
  ["--io-maxbandwidth 1", "--io-maxbandwidth is not supported: it is for Windows"],
  ["--io-maxiops 1", "--io-maxiops is not supported: it is for Windows"],
  ["--kernel-memory 1m", "--kernel-memory is not supported: the kernel has no such limit any more"],
]);

describe("the log and the end", () => {
  testWith(root, "--log-opt max-size and max-file rotate the log", async () => {
    const limits = ["--log-opt", "max-size=10k", "--log-opt", "max-file=2"];
    const script = "i=0; while [ $i -lt 500 ]; do echo line number $i of many; i=$((i+1)); done";
    await store().ok(["run", "--name", "talks", ...limits, "busybox", "sh", "-c", script]);
    const lines = (await store().ok(["logs", "talks"])).split("\n");
    expect(lines.length).toBeLessThan(400);
    expect(lines.at(-1)).toBe("line number 499 of many");
    await store().ok(["rm", "talks"]);
  });

  testWith(root, "--log-driver none keeps nothing, and logs says so", async () => {
    expect(await store().ok(["run", "--name", "quiet", "--log-driver", "none", "busybox", "echo", "seen"])).toBe(
      "seen",
    );
    const { status, stdout, stderr } = await store().galley(["logs", "quiet"]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("does not support reading");
    await store().ok(["rm", "quiet"]);
  });

  testWith(root, "--restart on-failure:2 runs it three times", async () => {
    await store().ok([
      "run",
      "-d",
      "--name",
      "again",
      "--restart",
      "on-failure:2",
      "busybox",
      "sh",
      "-c",
      "echo run; exit 1",
    ]);
    expect(await store().ok(["wait", "again"])).toBe("1");
    expect(await store().ok(["logs", "again"])).toBe("run\nrun\nrun");
    expect(await store().ok(["inspect", "-f", "{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}", "again"])).toBe(
      "2 on-failure",
    );
    await store().ok(["rm", "again"]);
  });

  testWith(root, "a container over its memory limit ends as killed for it", async () => {
    const script = "head -c 100m /dev/zero | tail | wc -c";
    await store().galley([
      "run",
      "--name",
      "big",
      "-m",
      "20m",
      "--memory-swap",
      "20m",
      "busybox",
      "sh",
      "-c",
      `exec ${script}`,
    ]);
    const state = await store().ok(["inspect", "-f", "{{.State.OOMKilled}}", "big"]);
    expect(state).toBe("true");
    await store().ok(["rm", "big"]);
  });

  testWith(root, "--blkio-weight is kept where the kernel has it, and warned of where not", async () => {
    const { status, stderr } = await store().galley([
      "run",
      "--name",
      "io",
      "--blkio-weight",
      "300",
      "busybox",
      "true",
    ]);
    const warned =
      stderr ===
      "WARNING: Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.\n";
    const kept = await store().ok(["inspect", "-f", "{{.HostConfig.BlkioWeight}}", "io"]);
    expect({ status, kept }).toEqual({ status: 0, kept: warned ? "0" : "300" });
    await store().ok(["rm", "io"]);
  });
});
