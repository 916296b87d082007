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
