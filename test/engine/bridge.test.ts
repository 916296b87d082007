/** Containers on the bridge: leases, ports, many at once. */
import { afterAll, beforeAll, expect } from "bun:test";
import { toGalleyError } from "../../src/errors.ts";
import { freePort } from "../harness/free-port.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { Lab, readAll } from "./lab.ts";

const needs = { root: true };
let lab: Lab;

beforeAll(async () => {
  if (missing(needs) === undefined) lab = await Lab.open();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

const bridge = { network: "bridge" };

root("address, names and files of a container", async () => {
  const script =
    "ip -4 -o addr show eth0 | awk '{print $4}'; hostname; cat /etc/hosts; cat /etc/hostname; cat /etc/resolv.conf";
  const { stdout, id } = await lab.run(script, {
    ...bridge,
    hostname: "me",
    extraHosts: ["gate:host-gateway", "other:10.1.2.3"],
    dns: ["10.9.9.9"],
  });
  const { network } = await lab.containers.get(id);
  const lines = stdout.split("\n");
  expect(lines.slice(0, 2)).toEqual([`${network.address}/${network.prefix}`, "me"]);
  for (const line of [`${network.gateway}\tgate`, "10.1.2.3\tother", `${network.address}\tme`, "nameserver 10.9.9.9"]) {
    expect(lines).toContain(line);
  }
});

root("a published port leads to the container, and is free again when it has ended", async () => {
  const hostPort = freePort();
  const ports = [{ containerPort: 80, protocol: "tcp", hostPort }] as const;
  const serve = "mkdir /w; echo served > /w/index.html; exec httpd -f -p 80 -h /w";
  const id = await lab.start(serve, { ...bridge, ports });
  const answer = await fetchSoon(`http://127.0.0.1:${hostPort}/`);
  expect(answer).toBe("served\n");
  const second = await lab.create("sleep 1000", { ...bridge, ports });
  const failure = await lab.containers.start(second).catch((thrown: unknown) => toGalleyError(thrown));
  expect(String(failure)).toContain("port is already allocated");
  await lab.containers.stop(id, { timeout: 0 });
  await lab.containers.start(second);
  expect((await lab.containers.get(second)).network.ports[0]?.hostPort).toBe(hostPort);
  await Promise.all([id, second].map((one) => lab.containers.remove(one, { force: true })));
});

async function fetchSoon(url: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await fetch(url)).text();
    } catch (failure) {
      if (attempt === 100) throw failure;
      await Bun.sleep(20);
    }
  }
}

root("all exposed ports are published where that is asked for", async () => {
  const id = await lab.start("sleep 1000", { ...bridge, exposed: ["80/tcp", "53/udp"], publishAll: true });
  const { network } = await lab.containers.get(id);
  expect(network.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`).sort()).toEqual([
    "53/udp",
    "80/tcp",
  ]);
  for (const { hostPort } of network.ports) expect(hostPort).toBeGreaterThan(0);
  await lab.containers.remove(id, { force: true });
});

root("thirty containers at once all run, each with an address of its own", async () => {
  const engines = Array.from({ length: 30 }, () => lab.other());
  const seen = await Promise.all(
    engines.map(async ({ containers }) => {
      const spec = lab.script("ip -4 -o addr show eth0 | awk '{print $4}'", { ...bridge, autoRemove: true });
      const { id } = await containers.create(spec);
      const all = await readAll(await containers.start(id, { attach: { stdin: false, output: true } }));
      await containers
        .wait(id, "removed")
        .catch((failure: unknown) => expect(toGalleyError(failure).code).toBe("not_found"));
      return all;
    }),
  );
  expect(seen.map(({ code }) => code)).toEqual(seen.map(() => 0));
  expect(new Set(seen.map(({ stdout }) => stdout)).size).toBe(30);
  expect(await lab.containers.list({ all: true, filters: { status: ["running"] } })).toEqual([]);
});
