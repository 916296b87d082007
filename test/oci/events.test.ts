/** `events` of the OCI runtime on the real kernel: what a container uses, OOM kills, and the end. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { exampleConfig } from "../../src/runtime/oci/example.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle, runtimeProgram } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

function follow(bundle: OciBundle, ...flags: readonly string[]) {
  const log = bundle.folder.at("events");
  const child = Bun.spawn([...runtimeProgram(), "--root", bundle.root, "events", ...flags, bundle.id], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", Bun.file(log), "inherit"],
  });
  const lines = () =>
    readFileSync(log, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { child, lines };
}

describe("events", () => {
  root("--stats has runc's shape, with all digits of a number", async () => {
    await using bundle = new OciBundle("exec sleep 1000", { linux: limited({ pids: { limit: 20 } }) });
    await bundle.ok("run", "-d", bundle.id);
    const text = await bundle.ok("events", "--stats", bundle.id);
    expect(text).toStartWith(`{"type":"stats","id":"${bundle.id}","data":{"cpu":{"usage":{"total":`);
    const { data } = JSON.parse(text);
    const parts = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"];
    expect(Object.keys(data)).toEqual(parts);
    expect(data.pids).toEqual({ current: 1, limit: 20 });
    expect(data.memory.usage.usage).toBeGreaterThan(0);
    expect(text).toMatch(/"limit":(9223372036854771712|18446744073709551615)\b/);
  });

  root("once in an interval, until the container is gone", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    await bundle.ok("run", "-d", bundle.id);
    const { child, lines } = follow(bundle, "--interval", "20ms");
    while (lines().length < 2) await Bun.sleep(5);
    await bundle.ok("delete", "-f", bundle.id);
    expect(await child.exited).toBe(0);
    for (const { type, id } of lines()) expect({ type, id }).toEqual({ type: "stats", id: bundle.id });
  });

  root("an OOM kill is told when it happens", async () => {
    const memory = { limit: 24 * 2 ** 20, swap: 24 * 2 ** 20 };
    await using bundle = new OciBundle("while :; do sleep 1; done", { linux: limited({ memory }) });
    await bundle.ok("run", "-d", bundle.id);
    const { child, lines } = follow(bundle, "--interval", "1h");
    const hog = () => bundle.run("exec", bundle.id, "sh", "-c", "tail /dev/zero");
    while (lines().length === 0) expect((await hog()).status).toBe(137);
    expect(lines()[0]).toEqual({ type: "oom", id: bundle.id });
    await bundle.ok("delete", "-f", bundle.id);
    expect(await child.exited).toBe(0);
  });

  root("is refused of what does not run, and for no interval", async () => {
    await using bundle = new OciBundle("true");
    expect((await bundle.run("events", bundle.id)).stderr).toContain("container does not exist");
    expect((await bundle.run("events", "--interval", "0", bundle.id)).stderr).toContain("must be greater than 0");
    await bundle.ok("run", "-d", bundle.id);
    await bundle.until("stopped");
    expect((await bundle.run("events", bundle.id)).stderr).toContain(`container with id ${bundle.id} is not running`);
  });
});

function limited(resources: object) {
  const { linux } = exampleConfig();
  return { ...linux, resources: { ...linux?.resources, ...resources } };
}
