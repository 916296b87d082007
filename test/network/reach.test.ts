import { expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { HOST, Lab, NEIGHBOUR, needs } from "./lab.ts";

const both = ["tcp", "udp"] as const;
const published = (hostPort: number, hostAddress?: string) =>
  both.map((protocol) => ({
    protocol,
    hostPort,
    containerPort: 80,
    ...(hostAddress === undefined ? {} : { hostAddress }),
  }));

testWith(
  needs,
  "published ports are reached from everywhere that may",
  async () => {
    await using lab = await Lab.open();
    const server = await lab.serve({
      id: "server",
      ports: [...published(8080), ...published(8081, "127.0.0.1"), ...published(8082, HOST)],
    });
    const other = await lab.start({ id: "other" });
    const { address, gateway } = server;
    for (const protocol of both) {
      const ask = (from: Parameters<Lab["ask"]>[0], to: string, port: number) => lab.ask(from, protocol, to, port);
      expect(await ask("neighbour", HOST, 8080)).toBe(NEIGHBOUR);
      expect(await ask("neighbour", HOST, 8082)).toBe(NEIGHBOUR);
      expect(await ask("host", HOST, 8080)).toBe(HOST);
      expect(await ask("host", "127.0.0.1", 8080)).toBe(gateway);
      expect(await ask("host", "127.0.0.1", 8081)).toBe(gateway);
      expect(await ask("host", address, 80)).toBe(gateway);
      expect(await ask(other, address, 80)).toBe(other.address);
      expect(await ask(other, gateway, 8080)).toBe(gateway);
      expect(await ask(server, HOST, 8080)).toBe(gateway);
      expect(await ask(server, gateway, 8080)).toBe(gateway);
    }
  },
  60_000,
);

testWith(
  needs,
  "containers reach the world as the host, and nothing else reaches them",
  async () => {
    await using lab = await Lab.open();
    const server = await lab.serve({
      id: "server",
      ports: [...published(8081, "127.0.0.1"), ...published(8082, HOST)],
    });
    await lab.neighbour(`ip route del default; ip route add 10.0.0.0/8 via ${HOST}`);
    const port = `${lab.path}/neighbour.up`;
    using _server = lab.neighbourServer(port);
    await lab.serves("neighbour");
    for (const protocol of both) expect(await lab.ask(server, protocol, NEIGHBOUR, 80)).toBe(HOST);
    const refused = Promise.all([
      lab.ask("neighbour", "tcp", HOST, 8081),
      lab.ask("host", "tcp", "127.0.0.1", 8082),
      lab.ask("host", "tcp", HOST, 8081),
    ]);
    expect(await refused).toEqual(["refused", "refused", "refused"]);
    const direct = Promise.all(both.map((protocol) => lab.ask("neighbour", protocol, server.address, 80)));
    expect(await direct).toEqual(["timeout", "timeout"]);
  },
  60_000,
);

testWith(
  needs,
  "a container does not reach the host's loopback",
  async () => {
    await using lab = await Lab.open();
    const prober = await lab.start({ id: "prober" });
    using _server = lab.hostServer(`${lab.path}/host.up`);
    await lab.serves("host");
    const routes = `ip addr flush dev lo; ip route add 127.0.0.1 via ${prober.gateway} src ${prober.address}`;
    await lab.within(
      prober,
      `sysctl -qw net.ipv4.conf.eth0.route_localnet=1; ${routes}; ip route del local 127.0.0.1 table local || true`,
    );
    expect(await lab.ask(prober, "tcp", prober.gateway, 80)).toBe(prober.address);
    expect(await lab.ask(prober, "tcp", "127.0.0.1", 80)).toBe("timeout");
    await lab.drive("dropGuard");
    expect(await lab.ask(prober, "tcp", "127.0.0.1", 80)).toBe(prober.address);
  },
  60_000,
);

testWith(
  needs,
  "a published port works through the bridge's own packet filter and without it",
  async () => {
    await using lab = await Lab.open();
    const server = await lab.serve({ id: "server", ports: published(8080) });
    const other = await lab.start({ id: "other" });
    for (const filter of ["0", "1"]) {
      await lab.host(`sysctl -qw net.bridge.bridge-nf-call-iptables=${filter} || true`);
      for (const client of [server, other]) expect(await lab.ask(client, "tcp", HOST, 8080)).toBe(server.gateway);
    }
  },
  60_000,
);

testWith(
  needs,
  "docker's FORWARD policy is passed, once, and again after a flush",
  async () => {
    await using lab = await Lab.open();
    await lab.host("iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER");
    await lab.serve({ id: "server", ports: published(8080) });
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe(NEIGHBOUR);
    await lab.drive("heal");
    const rules = ["-A FORWARD -j DOCKER-USER", "-A FORWARD -j GALLEY-FORWARD"];
    const forward = async () => (await lab.host("iptables -S FORWARD")).split("\n").slice(1);
    expect(await forward()).toEqual(rules);
    expect(await lab.host("iptables -S GALLEY-FORWARD")).toBe(
      "-N GALLEY-FORWARD\n-A GALLEY-FORWARD -i galley0 -j ACCEPT\n-A GALLEY-FORWARD -o galley0 -j ACCEPT",
    );
    await lab.host("iptables -F");
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe("timeout");
    await lab.drive("heal");
    expect(await forward()).toEqual(rules.slice(1));
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe(NEIGHBOUR);
  },
  60_000,
);
