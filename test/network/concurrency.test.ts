import { expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { Lab, needs } from "./lab.ts";

testWith(
  needs,
  "thirty processes attach on a fresh host, in two stores, and none collides",
  async () => {
    await using lab = await Lab.open();
    const ports = [{ protocol: "tcp" as const, containerPort: 80 }];
    const started = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        lab.start({ id: `c${index}`, ports: index % 3 === 0 ? ports : [], store: index % 2 === 0 ? "one" : "two" }),
      ),
    );
    expect(new Set(started.map(({ address }) => address)).size).toBe(30);
    expect(new Set(started.map(({ macAddress }) => macAddress)).size).toBe(30);
    const published = started.flatMap((container) => container.ports.map(({ hostPort }) => hostPort));
    expect(new Set(published).size).toBe(10);
    expect(await lab.host("ls /sys/class/net/galley0/brif | wc -l")).toBe("30");
    expect(await lab.host("ip -4 -o addr show galley0 | wc -l")).toBe("1");
  },
  120_000,
);

testWith(
  needs,
  "thirty processes lease at once without one address or port twice",
  async () => {
    await using lab = await Lab.open();
    type Facts = { readonly address: string; readonly ports: readonly { readonly hostPort: number }[] };
    const lists = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        lab.drive<Facts[]>("attach", { ids: Array.from({ length: 20 }, (_, more) => `c${index}-${more}`) }),
      ),
    );
    const facts = lists.flat();
    expect(new Set(facts.map(({ address }) => address)).size).toBe(600);
    expect(new Set(facts.map(({ ports }) => ports[0]?.hostPort)).size).toBe(600);
  },
  120_000,
);

testWith(
  needs,
  "thirty processes set a fresh host up at once",
  async () => {
    await using lab = await Lab.open();
    await Promise.all(Array.from({ length: 30 }, (_, index) => lab.drive("setup", { store: `store${index % 5}` })));
    expect(await lab.host("ip -4 -o addr show galley0 | wc -l")).toBe("1");
    expect((await lab.start({ id: "first" })).attempt).toBe(1);
  },
  120_000,
);
