/** Flags of `run` about what the container may do. */
import { beforeAll, describe, expect } from "bun:test";
import { readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags, showFlags, tryFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

/** Refuses mkdir(2) and allows all else. */
const noMkdir = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
};

beforeAll(() => {
  writeFileSync(join(store().home, "seccomp.json"), JSON.stringify(noMkdir));
  writeFileSync(join(store().home, "broken.json"), "{");
});

/** Says how /dev/mine, which is /dev/loop-control (character device 10:237), can be opened. */
const opening =
  "for m in reads writes; do case $m in reads) true < /dev/mine;; *) true > /dev/mine;; esac 2>/dev/null && echo $m; done; :";
const capabilities = "grep CapEff /proc/self/status | cut -f2";

tryFlags("the container", store, [
  ["", capabilities, "00000000a80425fb"],
  ["--cap-drop all", capabilities, "0000000000000000"],
  ["--cap-drop ALL --cap-add chown --cap-add CAP_NET_RAW", capabilities, "0000000000002001"],
  ["--cap-add ALL --cap-drop SYS_ADMIN", capabilities, /^[0-9a-f]{10,}dfffff$/m],
  ["--cap-add SYS_TIME", capabilities, "00000000aa0425fb"],
  ["--privileged", `${capabilities}; [ -w /sys ] && [ -e /dev/kmsg ] && echo all`, /^[0-9a-f]{10,}ffffff\nall$/m],
  ["--privileged", "grep Seccomp: /proc/self/status", "Seccomp:\t0"],
  ["", "grep Seccomp: /proc/self/status", "Seccomp:\t2"],
  ["--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", "Seccomp:\t0"],
  ["--security-opt seccomp=builtin", "grep Seccomp: /proc/self/status", "Seccomp:\t2"],
  [
    "--security-opt seccomp=HOME/seccomp.json",
    "mkdir /a 2>&1 || :",
    "mkdir: can't create directory '/a': Operation not supported",
  ],
  ["--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"],
  ["--security-opt no-new-privileges:false", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0"],
  ["", "wc -c < /proc/timer_list; (echo 1 > /proc/sys/kernel/panic) 2>&1 || :", /^0\n.*Read-only file system$/m],
  ["--security-opt systempaths=unconfined", "[ $(head -c 9 /proc/timer_list | wc -c) = 9 ] && echo open", "open"],
  ["--read-only", "touch /a 2>&1; touch /dev/shm/a && echo shm", "touch: /a: Read-only file system\nshm"],
  ["--read-only --tmpfs /run", "touch /run/a && echo run", "run"],
  ["--device /dev/loop-control", "ls -l /dev/loop-control | cut -c1", "c"],
  ["--device /dev/loop-control:/dev/mine:r", opening, "reads"],
  ["--device /dev/loop-control:/dev/mine:rw", opening, "reads\nwrites"],
  ["--device /dev/loop-control:/dev/mine", opening, "reads\nwrites"],
  ["", `mknod /dev/mine c 10 237; ${opening}; echo done`, "done"],
  ["--device-cgroup-rule c␣10:237␣r", `mknod /dev/mine c 10 237; ${opening}`, "reads"],
  ["--device-cgroup-rule c␣10:*␣rwm", `mknod /dev/mine c 10 237; ${opening}`, "reads\nwrites"],
  ["--sysctl net.ipv4.ip_forward=0", "cat /proc/sys/net/ipv4/ip_forward", "0"],
  ["--sysctl kernel.shmmax=65536", "cat /proc/sys/kernel/shmmax", "65536"],
  ["--pid host", "[ $$ -gt 1 ] && [ -e /proc/1/comm ] && echo host", "host"],
  ["--ipc private", "ls /dev/shm | wc -l", "0"],
  ["--ipc none", "[ -e /dev/shm ] || echo none", "none"],
  ["--uts host --network host", "hostname | wc -l", "1"],
  ["--cgroupns private", "cut -d: -f3 /proc/self/cgroup | sort -u", "/"],
]);

showFlags("inspect shows", store, [
  [
    "--security-opt apparmor=unconfined --security-opt label=disable",
    "{{.HostConfig.SecurityOpt}}",
    "[apparmor=unconfined label=disable]",
  ],
  ["--cap-add chown --cap-drop net_raw", "{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}", "[CAP_CHOWN] [CAP_NET_RAW]"],
  ["--privileged --read-only", "{{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}}", "true true"],
  ["--device /dev/null:/dev/mine:r", "{{.HostConfig.Devices}}", "[{/dev/null /dev/mine r}]"],
  ["--device-cgroup-rule c␣1:3␣r", "{{.HostConfig.DeviceCgroupRules}}", "[c 1:3 r]"],
  ["--sysctl kernel.shmmax=65536", "{{.HostConfig.Sysctls}}", "map[kernel.shmmax:65536]"],
  ["--pid host --ipc shareable", "{{.HostConfig.PidMode}} {{.HostConfig.IpcMode}}", "host shareable"],
  ["--uts host --cgroupns private", "{{.HostConfig.UTSMode}} {{.HostConfig.CgroupnsMode}}", "host private"],
]);

refuseFlags("refused:", store, [
  ["--cap-add nosuch", "CAP_NOSUCH"],
  ["--cap-drop nosuch", "CAP_NOSUCH"],
  ["--security-opt nosuch=1", "nosuch"],
  ["--security-opt seccomp=HOME/nosuch.json", "nosuch.json"],
  ["--security-opt seccomp=HOME/broken.json", "seccomp"],
  ["--security-opt apparmor=a-profile", "apparmor"],
  ["--security-opt label=type:a_t", "label"],
  ["--device /dev/nosuch", "/dev/nosuch"],
  ["--device /dev/null:/dev/null:q", "q"],
  ["--device-cgroup-rule nosuch", "invalid device cgroup format"],
  ["--sysctl kernel.hostname=x", "kernel.hostname"],
  ["--sysctl net.ipv4.ip_forward=0 --network host", "net.ipv4.ip_forward"],
  ["--sysctl nosuch", "it takes key=value"],
  ["--pid nosuch", "nosuch"],
  ["--ipc nosuch", "nosuch"],
  ["--uts nosuch", "it must be host"],
  ["--cgroupns nosuch", "it must be host or private"],
  ["--userns host", "--userns is not supported"],
  ["--gpus all", "--gpus is not supported: give the devices with --device"],
  ["--isolation process", "--isolation is not supported: it is for Windows"],
  ["--use-api-socket=1", "--use-api-socket is not supported"],
]);

describe("namespaces of the host and of another container", () => {
  for (const [flag, name] of Object.entries({
    pid: "pid",
    ipc: "ipc",
    uts: "uts",
    cgroupns: "cgroup",
    network: "net",
  })) {
    testWith(root, `--${flag} host is the host's`, async () => {
      const link = `/proc/self/ns/${name}`;
      expect(await store().ok(["run", "--rm", `--${flag}`, "host", "busybox", "readlink", link])).toBe(
        readlinkSync(link),
      );
    });
  }

  testWith(root, "--pid, --ipc and --network container:NAME share them", async () => {
    await store().ok(["run", "-d", "--name", "first", "--ipc", "shareable", "busybox", "sleep", "1000"]);
    const joined = ["--pid", "container:first", "--ipc", "container:first", "--network", "container:first"];
    const script = "for n in pid ipc net mnt; do readlink /proc/self/ns/$n; done";
    const [ours, theirs] = await Promise.all([
      store().ok(["run", "--rm", ...joined, "busybox", "sh", "-c", script]),
      store().ok(["exec", "first", "sh", "-c", script]),
    ]);
    const [mine, other] = [ours.split("\n"), theirs.split("\n")];
    expect(mine.slice(0, 3)).toEqual(other.slice(0, 3));
    expect(mine[3]).not.toBe(other[3]);
    await store().ok(["rm", "-f", "first"]);
  });
});
