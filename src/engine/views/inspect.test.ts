import { describe, expect, test } from "bun:test";
import type { Container, ContainerSpec } from "../types.ts";
import { inspectContainer } from "./inspect.ts";
import { testContainer } from "./test-parts.ts";

type Json = Record<string, Record<string, unknown>>;

function inspect(changes: Partial<Container> = {}, spec: Partial<ContainerSpec> = {}, image: object = {}): Json {
  return inspectContainer({
    container: testContainer(changes, spec),
    image,
    hostname: "h",
    cgroups: "v1",
    files: { resolvConf: "/r", hostname: "/n", hosts: "/h" },
    root: { lower: ["/l2", "/l1"], upper: "/u", work: "/w" },
  }) as Json;
}

/** What docker 28 has of a plain container. */
const fields = {
  "": `Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel
    ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings`,
  State: "Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt",
  HostConfig: `Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize
    CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged
    PublishAllPorts ReadonlyRootfs SecurityOpt UTSMode UsernsMode ShmSize Runtime Isolation CpuShares Memory NanoCpus CgroupParent
    BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota
    CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap
    MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth MaskedPaths ReadonlyPaths`,
  Config: `Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Env Cmd Image Volumes WorkingDir
    Entrypoint OnBuild Labels`,
  NetworkSettings: `Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses
    SecondaryIPv6Addresses EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress
    Networks`,
};

test("the document has docker's fields in docker's order", () => {
  const document = inspect();
  for (const [name, expected] of Object.entries(fields)) {
    expect(Object.keys(name === "" ? document : document[name]!)).toEqual(expected.split(/\s+/));
  }
  const networks = document.NetworkSettings?.Networks as Json;
  expect(Object.keys(networks.bridge!)).toEqual(
    `IPAMConfig Links Aliases MacAddress DriverOpts GwPriority NetworkID EndpointID Gateway IPAddress IPPrefixLen IPv6Gateway
    GlobalIPv6Address GlobalIPv6PrefixLen DNSNames`.split(/\s+/),
  );
});

test("states are told as docker tells them", () => {
  expect(inspect({ state: "paused" }).State).toMatchObject({ Status: "paused", Running: true, Paused: true });
  expect(inspect({ state: "exited", pid: 0, exitCode: 3 }).State).toMatchObject({
    Running: false,
    Pid: 0,
    ExitCode: 3,
  });
});

describe("what was asked for", () => {
  test("of mounts is shown by the option that can say it", () => {
    const volume = (name: string, target: string) => ({
      name,
      source: `/v/${name}`,
      target,
      type: "volume",
      readonly: false,
    });
    const document = inspect(
      {
        resolved: {
          ...testContainer().resolved,
          volumes: [
            { source: "/b", target: "/bind", type: "bind", readonly: true },
            volume("data", "/data"),
            volume("f".repeat(64), "/anonymous"),
          ],
        },
      },
      {
        mounts: [
          { type: "bind", source: "/b", target: "/bind", readonly: true, createSource: true },
          { type: "volume", source: "data", target: "/data", noCopy: true },
          { type: "volume", target: "/anonymous" },
          { type: "tmpfs", target: "/t", options: ["size=1m"] },
          { type: "tmpfs", target: "/m", size: 9, mode: 0o700 },
          { type: "bind", source: "/x", target: "/y", nonRecursive: true },
        ],
      },
    );
    expect(document.HostConfig).toMatchObject({
      Binds: ["/b:/bind:ro", "data:/data:nocopy"],
      Tmpfs: { "/t": "size=1m" },
      Mounts: [
        { Type: "tmpfs", Target: "/m", TmpfsOptions: { SizeBytes: 9, Mode: 0o700 } },
        { Type: "bind", Source: "/x", Target: "/y", BindOptions: { NonRecursive: true } },
      ],
    });
    expect(document.Config?.Volumes).toEqual({ "/anonymous": {} });
    expect(document.Mounts).toMatchObject([
      { Type: "bind", Source: "/b", Destination: "/bind", Mode: "ro", RW: false, Propagation: "rprivate" },
      { Type: "volume", Name: "data", Driver: "local", Mode: "nocopy", RW: true, Propagation: "" },
      { Type: "volume", Destination: "/anonymous" },
      { Type: "tmpfs", Destination: "/m" },
    ]);
  });

  test("of ports is shown with what became of it", () => {
    const network = {
      ...testContainer().network,
      ports: [{ containerPort: 80, protocol: "tcp" as const, hostAddress: "0.0.0.0", hostPort: 32768 }],
    };
    const spec: Partial<ContainerSpec> = { ports: [{ containerPort: 80, protocol: "tcp" }], exposed: ["9/udp"] };
    const document = inspect({ network }, spec);
    expect(document.HostConfig?.PortBindings).toEqual({ "80/tcp": [{ HostIp: "", HostPort: "" }] });
    expect(document.NetworkSettings?.Ports).toEqual({
      "9/udp": null,
      "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "32768" }],
    });
    expect(document.Config?.ExposedPorts).toEqual({ "80/tcp": {}, "9/udp": {} });
    expect(inspect({ network, state: "exited" }, spec).NetworkSettings).toMatchObject({ Ports: {}, IPAddress: "" });
  });

  test("of privileges and limits", () => {
    const document = inspect(
      {},
      { privileged: true, capAdd: ["sys_time"], init: true, resources: { memory: 9, memorySwappiness: 0 } },
    );
    expect(document.HostConfig).toMatchObject({
      Privileged: true,
      CapAdd: ["CAP_SYS_TIME"],
      Init: true,
      Memory: 9,
      MemorySwappiness: 0,
      MaskedPaths: null,
    });
  });

  test("of command and entry point, beside the image's", () => {
    const image = { Entrypoint: ["/e"], Cmd: ["c"], Volumes: { "/v": {} } };
    expect(inspect({}, {}, image).Config).toMatchObject({ Entrypoint: ["/e"], Cmd: ["c"], Volumes: { "/v": {} } });
    expect(inspect({}, { entrypoint: ["/x"] }, image).Config).toMatchObject({ Entrypoint: ["/x"], Cmd: null });
  });
});
