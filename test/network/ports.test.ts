import { expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { HOST, Lab, NEIGHBOUR, needs } from "./lab.ts";

const port = (hostPort: number, hostAddress?: string) => ({
  protocol: "tcp" as const,
  hostPort,
  containerPort: 80,
  ...(hostAddress === undefined ? {} : { hostAddress }),
});

testWith(
  needs,
  "a port that is in use is refused in docker's words, and nothing is left",
  async () => {
    await using lab = await Lab.open();
    using _server = lab.hostServer(`${lab.path}/host.up`);
    await lab.serves("host");
    const words = "driver failed programming external connectivity on endpoint late: Bind for";
    const start = (...ports: ReturnType<typeof port>[]) => lab.start({ id: "late", ports });
    await lab.start({ id: "early", ports: [port(8080), port(8081, HOST)] });
    await expect(start(port(80))).rejects.toThrow(`${words} 0.0.0.0:80 failed: port is already allocated`);
    await expect(start(port(7000), port(8080))).rejects.toThrow(
      `${words} 0.0.0.0:8080 failed: port is already allocated`,
    );
    await expect(start(port(8080, "127.0.0.1"))).rejects.toThrow(`${words} 127.0.0.1:8080 failed`);
    await expect(start(port(8081))).rejects.toThrow(`${words} 0.0.0.0:8081 failed`);
    await expect(start(port(9000, "198.51.100.7"))).rejects.toThrow("failed to bind host port 198.51.100.7:9000/tcp");
    await expect(start(port(9000), port(9000))).rejects.toThrow(`${words} 0.0.0.0:9000 failed`);
    await expect(start(port(9000, "::1"))).rejects.toThrow("IPv4 addresses only");
    expect(await lab.drive<string[]>("leases")).toEqual(["early"]);
    await start(port(7000), port(8081, "127.0.0.1"));
  },
  60_000,
);

testWith(
  needs,
  "a port is chosen where none is asked for, and another where the host uses it",
  async () => {
    await using lab = await Lab.open();
    const ports = [port(0), { ...port(0), hostPort: 0, protocol: "udp" as const }];
    const server = await lab.serve({ id: "server", ports });
    const [first, second] = server.ports;
    expect(first?.hostPort).toBeGreaterThanOrEqual(49152);
    expect(await lab.ask("neighbour", "tcp", HOST, first?.hostPort ?? 0)).toBe(NEIGHBOUR);
    expect(await lab.ask("neighbour", "udp", HOST, second?.hostPort ?? 0)).toBe(NEIGHBOUR);
    const next = (second?.hostPort ?? 0) === 65535 ? 49152 : (second?.hostPort ?? 0) + 1;
    using _listener = lab.hostListener(next);
    await lab.host(`for i in $(seq 500); do ss -Hltn sport = :${next} | grep -q . && exit; sleep 0.02; done; exit 1`);
    const other = await lab.serve({ id: "other", ports: [port(0)] });
    expect(other.attempt).toBe(2);
    expect(other.ports[0]?.hostPort).not.toBe(next);
    expect(await lab.ask("host", "tcp", "127.0.0.1", other.ports[0]?.hostPort ?? 0)).toBe(other.gateway);
  },
  60_000,
);

testWith(
  needs,
  "a thousand ports are one transaction",
  async () => {
    await using lab = await Lab.open();
    const range = Array.from({ length: 1000 }, (_, index) => port(20_000 + index));
    const server = await lab.serve({ id: "server", ports: range });
    for (const number of [20_000, 20_255, 20_256, 20_999]) {
      expect(await lab.ask("neighbour", "tcp", HOST, number)).toBe(NEIGHBOUR);
    }
    await lab.end(server);
    expect(await lab.ask("neighbour", "tcp", HOST, 20_999)).toBe("refused");
  },
  60_000,
);

testWith(
  needs,
  "addresses are given as asked for, or refused",
  async () => {
    await using lab = await Lab.open();
    const first = await lab.start({ id: "first" });
    const wanted = `${first.gateway.split(".").slice(0, 2).join(".")}.7.7`;
    expect((await lab.start({ id: "second", address: wanted })).address).toBe(wanted);
    const start = (address: string) => lab.start({ id: "third", address });
    await expect(start(wanted)).rejects.toThrow("Address already in use");
    await expect(start(first.gateway)).rejects.toThrow("is not an address for a container");
    await expect(start("8.8.8.8")).rejects.toThrow("is not an address for a container");
    await expect(start("x")).rejects.toThrow("is not an IPv4 address");
  },
  60_000,
);
