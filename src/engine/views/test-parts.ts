import type { Container, ContainerSpec } from "../types.ts";

/** A running container on the bridge, for the tests of this folder. */
export function testContainer(changes: Partial<Container> = {}, spec: Partial<ContainerSpec> = {}): Container {
  return {
    id: "ab".repeat(32),
    name: "web",
    spec: { image: "busybox", ...spec },
    imageId: "sha256:1",
    resolved: { path: "sh", args: [], env: ["PATH=/bin"], workingDir: "", user: "", stopSignal: "", volumes: [] },
    created: "2026-01-01T00:00:00.000000000Z",
    state: "running",
    pid: 77,
    exitCode: 0,
    oomKilled: false,
    error: "",
    startedAt: "2026-01-01T00:00:01.000000000Z",
    finishedAt: "0001-01-01T00:00:00Z",
    restartCount: 0,
    unattended: false,
    network: {
      mode: "bridge",
      address: "10.0.0.2",
      prefix: 24,
      gateway: "10.0.0.1",
      macAddress: "02:00:00:00:00:02",
      ports: [],
    },
    logPath: "/log",
    ...changes,
  };
}
