import { describe, expect, test } from "bun:test";
import type { ContainerSpec, ResourceRequest } from "../types.ts";
import { checkSpec } from "./check.ts";
import { checkResources } from "./check-resources.ts";
import { parseKernelList } from "./kernel-list.ts";
import { joinedNames } from "./modes.ts";
import { requestedMounts } from "./requested-mounts.ts";

const facts = { cpus: () => [0, 1], memoryNodes: () => [0], has: () => true };
const MB = 1 << 20;

const limits: readonly (readonly [request: ResourceRequest, message: string])[] = [
  [{ memory: MB }, "Minimum memory limit allowed is 6MB"],
  [{ memory: 10 * MB, memorySwap: 5 * MB }, "Minimum memoryswap limit should be larger than memory limit, see usage"],
  [{ memorySwap: 10 * MB }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [
    { memory: 10 * MB, memoryReservation: 20 * MB },
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{ memoryReservation: MB }, "Minimum memory reservation allowed is 6MB"],
  [{ memorySwappiness: 200 }, "Invalid value: 200, valid memory swappiness range is 0-100"],
  [{ nanoCpus: 99e9 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [{ nanoCpus: 1e6 }, "range of CPUs is from 0.01 to 2.00"],
  [{ cpuPeriod: 1 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ cpuQuota: 1 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ nanoCpus: 1e9, cpuQuota: 50_000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ cpuShares: 1 }, "the range is from 2 to 262144"],
  [{ cpusetCpus: "9" }, "Requested CPUs are not available - requested 9, available: 0-1"],
  [{ cpusetCpus: "0,1-0" }, "Invalid value 0,1-0 for cpuset cpus: invalid format: 0,1-0"],
  [{ cpusetMems: "7" }, "Requested memory nodes are not available - requested 7, available: 0"],
  [{ blkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
];

describe("limits", () => {
  test.each(limits)("%j", (request, message) => expect(() => checkResources(request, facts)).toThrow(message));

  test("have docker's swap where none is named", () => {
    const swap = (request: ResourceRequest) => checkResources(request, facts).resources.memorySwap;
    expect(swap({ memory: 10 * MB })).toBe(20 * MB);
    expect(swap({ memory: 10 * MB, memorySwap: -1 })).toBe(-1);
    expect(swap({})).toBeUndefined();
  });

  test("that the kernel does not have are left out, and said so", () => {
    const asked = { memory: 10 * MB, memorySwappiness: 0, oomKillDisable: true, blkioWeight: 10 };
    const { resources, warnings } = checkResources(asked, { ...facts, has: () => false });
    expect(resources).toEqual({ memory: 10 * MB });
    expect(warnings).toHaveLength(4);
    expect(checkResources({ oomKillDisable: true }, facts).warnings[0]).toContain("no memory limit is set");
  });

  test("name numbers as the kernel does", () => expect(parseKernelList("8,0-2\n")).toEqual([0, 1, 2, 8]));
});

const refused: readonly (readonly [spec: Partial<ContainerSpec>, message: string])[] = [
  [{ utsMode: "host", hostname: "x" }, "conflicting options: hostname and the UTS mode"],
  [{ network: "container:a", hostname: "x" }, "conflicting options: hostname and the network mode"],
  [{ network: "container:a", dns: ["1.1.1.1"] }, "conflicting options: dns and the network mode"],
  [
    { network: "container:a", extraHosts: ["a:1.1.1.1"] },
    "conflicting options: custom host-to-IP mapping and the network",
  ],
  [
    { network: "container:a", ports: [{ containerPort: 80, protocol: "tcp" }] },
    "conflicting options: port publishing and the container type network mode",
  ],
  [{ network: "nope" }, "network nope not found"],
  [{ ipcMode: "foo" }, "invalid IPC mode: foo"],
  [{ pidMode: "container:" }, "invalid PID mode: container:"],
  [{ utsMode: "foo" }, "invalid UTS mode: foo"],
  [{ oomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
  [{ sysctls: { "kernel.foo": "1" } }, "sysctl 'kernel.foo=1' is not allowed"],
  [{ sysctls: { "net.ipv4.ip_forward": "1" }, network: "host" }, "is not allowed in the host's network namespace"],
  [
    { sysctls: { "kernel.shmmax": "1" }, ipcMode: "host" },
    "sysctl 'kernel.shmmax=1' is not allowed in the host's ipc namespace",
  ],
  [{ capAdd: ["FOO"] }, 'unknown capability: "CAP_FOO"'],
  [{ securityOpt: ["foo=bar"] }, 'invalid --security-opt: "foo=bar"'],
  [{ securityOpt: ["no-new-privileges=foo"] }, 'invalid --security-opt: "no-new-privileges=foo"'],
  [{ securityOpt: ["apparmor=x"] }, "AppArmor profiles are not loaded"],
  [{ securityOpt: ["label=type:x"] }, "SELinux labels are not set"],
  [{ hostname: "a".repeat(65) }, "the hostname is longer than 64 bytes"],
  [{ deviceCgroupRules: ["c x:1 r"] }, "invalid device cgroup format 'c x:1 r'"],
  [{ mounts: [{ type: "volume", source: "v", target: "/v", subpath: "a" }] }, "volume-subpath is not supported yet"],
  [{ resources: { memory: 1 } }, "Minimum memory limit allowed is 6MB"],
];

describe("a specification", () => {
  test.each(refused)("%j is refused", async (spec, message) => {
    await expect(checkSpec({ image: "i", ...spec })).rejects.toThrow(message);
  });

  test("without fault passes as it is", async () => {
    const spec = { image: "i", network: "none", sysctls: { "net.core.somaxconn": "1" }, capDrop: ["ALL"] };
    expect(await checkSpec(spec)).toEqual({ spec, warnings: [] });
  });

  test("that publishes on the host's own network is warned of", async () => {
    const { warnings } = await checkSpec({ image: "i", network: "host", publishAll: true });
    expect(warnings).toEqual(["Published ports are discarded when using host network mode"]);
  });

  test("names the containers it joins", () => {
    expect(joinedNames({ image: "i", network: "container:a", pidMode: "host", ipcMode: "container:b" })).toEqual({
      network: "a",
      ipc: "b",
    });
  });

  test("mounts the image's volumes where nothing else is", () => {
    const image = { Volumes: { "/data/": {}, "/t": {} } };
    const spec: ContainerSpec = { image: "i", mounts: [{ type: "tmpfs", target: "/t" }] };
    expect(requestedMounts(spec, image)).toEqual([
      { type: "tmpfs", target: "/t" },
      { type: "volume", target: "/data" },
    ]);
    const twice: ContainerSpec = { image: "i", mounts: [...(spec.mounts ?? []), ...(spec.mounts ?? [])] };
    expect(() => requestedMounts(twice)).toThrow("Duplicate mount point: /t");
  });
});
