import { expect } from "bun:test";
import { readlinkSync } from "node:fs";
import { testWith } from "../harness/requirements.ts";
import { HOST, Lab, NEIGHBOUR, needs } from "./lab.ts";

const tcp = (hostPort: number) => ({ protocol: "tcp", hostPort, containerPort: 80 }) as const;
const udp = (hostPort: number) => ({ protocol: "udp", hostPort, containerPort: 80 }) as const;

/** Interfaces of containers on the host, once the kernel has removed those that are ending. */
const interfaces = (lab: Lab, count: number) =>
  lab.host(
    `for i in $(seq 500); do test $(ls /sys/class/net | grep -c ^gly) = ${count} && break; sleep 0.02; done; ls /sys/class/net | grep ^gly || true`,
  );

testWith(
  needs,
  "nothing of a container is left when it ends",
  async () => {
    await using lab = await Lab.open();
    const first = await lab.serve({ id: "first", ports: [tcp(8080), udp(8080)] });
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe(NEIGHBOUR);
    await lab.end(first);
    expect(await interfaces(lab, 0)).toBe("");
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe("refused");
    expect(await lab.ask("host", "tcp", "127.0.0.1", 8080)).toBe("refused");
    await lab.drive("release", { ids: ["first"] });
    const second = await lab.start({ id: "second", ports: [tcp(8080), udp(8080)] });
    expect(second.attempt).toBe(1);
    expect(second.address).not.toBe(first.address);
  },
  60_000,
);

testWith(
  needs,
  "a client that keeps sending by UDP reaches the next container",
  async () => {
    await using lab = await Lab.open();
    const ask = () => lab.ask("neighbour", "udp", HOST, 8080, [4000]);
    const first = await lab.serve({ id: "first", ports: [udp(8080)] });
    expect(await ask()).toBe(NEIGHBOUR);
    await lab.end(first);
    expect(await ask()).toBe("timeout");
    await lab.drive("release", { ids: ["first"] });
    await lab.serve({ id: "second", ports: [udp(8080)] });
    expect(await ask()).toBe(NEIGHBOUR);
  },
  60_000,
);

testWith(
  needs,
  "a restarted container has its address and its ports again",
  async () => {
    await using lab = await Lab.open();
    const server = await lab.serve({ id: "server", ports: [tcp(8080)], restart: true });
    for (let round = 0; round < 2; round++) {
      await lab.host(
        `rm ${lab.path}/server.up; kill -9 $(sed -n 's/^init \\([0-9]*\\).*/\\1/p' ${lab.path}/server/status)`,
      );
      await lab.serves("server");
      expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe(NEIGHBOUR);
      expect(await lab.ask("host", "tcp", server.address, 80)).toBe(server.gateway);
    }
    await lab.crash({
      ...server,
      pid: Number(await lab.host(`sed -n 's/^init \\([0-9]*\\).*/\\1/p' ${lab.path}/server/status`)),
    });
  },
  60_000,
);

testWith(
  needs,
  "a flushed table and a deleted bridge are healed with the next start",
  async () => {
    await using lab = await Lab.open();
    await lab.serve({ id: "server", ports: [tcp(8080), { ...tcp(8081), hostAddress: HOST }] });
    const reached = async () => {
      for (const port of [8080, 8081]) expect(await lab.ask("neighbour", "tcp", HOST, port)).toBe(NEIGHBOUR);
    };
    await reached();
    await lab.drive("deleteTable");
    expect((await lab.start({ id: "one" })).attempt).toBe(2);
    await reached();
    await lab.drive("deleteTable");
    expect((await lab.start({ id: "two", ports: [tcp(8082)] })).attempt).toBe(2);
    await reached();
    await lab.host("ip link del galley0");
    expect((await lab.start({ id: "three" })).attempt).toBe(2);
    await reached();
    await lab.host("ip link del galley0");
    await lab.drive("setup");
    await reached();
    expect((await lab.start({ id: "four" })).attempt).toBe(1);
  },
  60_000,
);

testWith(
  needs,
  "sweeping removes what killed shims left, and nothing of those that live",
  async () => {
    await using lab = await Lab.open();
    const dead = await lab.start({ id: "dead", ports: [tcp(8080), udp(8080)] });
    await lab.serve({ id: "alive", ports: [tcp(8081)] });
    await lab.crash(dead);
    expect(await interfaces(lab, 1)).not.toBe("");
    expect(await lab.drive<string[]>("leases")).toEqual(["alive", "dead"]);
    await lab.drive("sweep", { live: ["alive"] });
    expect(await lab.drive<string[]>("leases")).toEqual(["alive"]);
    expect(await lab.ask("neighbour", "tcp", HOST, 8081)).toBe(NEIGHBOUR);
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe("refused");
    expect((await lab.start({ id: "next", ports: [tcp(8080), udp(8080)] })).attempt).toBe(1);
  },
  60_000,
);

testWith(
  needs,
  "an interface that outlives its container is swept",
  async () => {
    await using lab = await Lab.open();
    const dead = await lab.start({ id: "dead" });
    const straggler = Bun.spawn(["nsenter", "-t", String(dead.pid), "-n", "sleep", "60"]);
    while (namespaceOf(straggler.pid) !== namespaceOf(dead.pid)) await Bun.sleep(1);
    await lab.end(dead);
    expect(await interfaces(lab, 1)).not.toBe("");
    await lab.drive("sweep", { live: [] });
    expect(await lab.host("ls /sys/class/net | grep -c ^gly || true")).toBe("0");
    straggler.kill("SIGKILL");
    await straggler.exited;
  },
  60_000,
);

testWith(
  needs,
  "what a killed container of another store left in the firewall is replaced",
  async () => {
    await using lab = await Lab.open();
    const ports = [tcp(8080), udp(8080), { ...tcp(8081), hostAddress: HOST }];
    const dead = await lab.start({ id: "dead", ports, store: "elsewhere" });
    await lab.crash(dead);
    const server = await lab.serve({ id: "server", ports });
    expect(server.attempt).toBe(2);
    for (const port of [8080, 8081]) expect(await lab.ask("neighbour", "tcp", HOST, port)).toBe(NEIGHBOUR);
  },
  60_000,
);

testWith(
  needs,
  "a start that fails takes nothing from a container of another store",
  async () => {
    await using lab = await Lab.open();
    const first = await lab.serve({ id: "first", ports: [tcp(8080), tcp(8081)], store: "elsewhere" });
    const late = lab.start({ id: "late", ports: [tcp(7000), tcp(8080)], restart: true });
    await expect(late).rejects.toThrow("Bind for 0.0.0.0:8080 failed");
    const same = lab.start({ id: "late", address: first.address, restart: true });
    await expect(same).rejects.toThrow("Address already in use");
    for (const port of [8080, 8081]) expect(await lab.ask("neighbour", "tcp", HOST, port)).toBe(NEIGHBOUR);
  },
  60_000,
);

testWith(
  needs,
  "sweeping takes nothing that another store has used again",
  async () => {
    await using lab = await Lab.open();
    const dead = await lab.start({ id: "dead", ports: [tcp(8080), tcp(8081)] });
    await lab.crash(dead);
    await interfaces(lab, 0);
    await lab.serve({ id: "heir", ports: [tcp(8080)], address: dead.address, store: "elsewhere" });
    await lab.drive("sweep", { live: [] });
    expect(await lab.ask("neighbour", "tcp", HOST, 8080)).toBe(NEIGHBOUR);
    expect(await lab.ask("neighbour", "tcp", HOST, 8081)).toBe("refused");
  },
  60_000,
);

function namespaceOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}
