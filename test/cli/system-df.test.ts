/** system df against du, over a store with content of every kind. */
import { beforeAll, describe, expect } from "bun:test";
import { join } from "node:path";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const needs = { root: true };
const store = fileStore();
const ok = (...args: readonly string[]) => store().ok(args);

beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  const fill =
    "mkdir /d; for i in $(seq 200); do echo $i > /d/$i; done; ln /d/1 /d/again; dd if=/dev/zero of=/big bs=1M count=20";
  await ok("run", "--name", "grow", "busybox", "sh", "-c", fill);
  await ok("commit", "grow", "grown:1");
  await ok("rm", "grow");
  await ok("run", "--name", "more", "grown:1", "sh", "-c", "dd if=/dev/urandom of=/random bs=1M count=3");
  await ok("commit", "more", "grown:2");
  await ok("volume", "create", "idle");
  await ok(
    "run",
    "-d",
    "--name",
    "live",
    "-v",
    "data:/data",
    "busybox",
    "sh",
    "-c",
    "dd if=/dev/zero of=/data/x bs=1M count=5; sleep 1000",
  );
  await ok("exec", "live", "sh", "-c", "while [ $(stat -c %s /data/x) -lt 5242880 ]; do sleep 0.05; done; sync");
});

/** Bytes on disk, by du(1). */
function du(...paths: readonly string[]): number {
  const { stdout } = Bun.spawnSync(["du", "-s", "-c", "-B1", ...paths.map((path) => join(store().root, path))]);
  return Number(/(\d+)\ttotal/.exec(stdout.toString())?.[1]);
}

/** Bytes from docker's words for them. */
function bytes(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
  return Number(number) * ({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[unit] ?? Number.NaN);
}

function near(value: number, expected: number): void {
  expect(Math.abs(value - expected) / expected).toBeLessThan(0.01);
}

async function rows(): Promise<Map<string, readonly string[]>> {
  const text = await ok("system", "df", "--format", "{{.Type}}|{{.TotalCount}}|{{.Active}}|{{.Size}}|{{.Reclaimable}}");
  return new Map(text.split("\n").map((line) => [line.split("|")[0] ?? "", line.split("|").slice(1)]));
}

describe("system df", () => {
  testWith(needs, "is within one percent of du, the first time and from memory", async () => {
    for (let round = 0; round < 2; round++) {
      const found = await rows();
      near(bytes(found.get("Images")?.[2] ?? ""), du("layers", "content"));
      near(bytes(found.get("Containers")?.[2] ?? ""), du("containers"));
      near(bytes(found.get("Local Volumes")?.[2] ?? ""), du("volumes"));
    }
  });

  testWith(needs, "all of it together is the store, as -v has it", async () => {
    const found = await rows();
    const rest = /own records: (\S+)/.exec(await ok("system", "df", "-v"))?.[1] ?? "";
    const sizes = [...found.values()].map(([, , size = ""]) => bytes(size));
    near(
      sizes.reduce((sum, size) => sum + size, bytes(rest)),
      du("."),
    );
  });

  testWith(needs, "counts, and what could be given back", async () => {
    const found = await rows();
    expect(found.get("Images")?.slice(0, 2)).toEqual(["3", "2"]);
    expect(found.get("Containers")?.slice(0, 2)).toEqual(["2", "1"]);
    expect(found.get("Local Volumes")?.slice(0, 2)).toEqual(["2", "1"]);
    expect(found.get("Build Cache")).toEqual(["0", "0", "0B", "0B"]);
    // grown:2, which nobody uses, has 3 MB of its own; what is below them grown:1 uses.
    expect(found.get("Images")?.[3]).toMatch(/^\d[\d.]*MB \(\d+%\)$/);
  });

  testWith(needs, "what is shared is counted once", async () => {
    const text = await ok(
      "system",
      "df",
      "--verbose",
      "--format",
      "{{range .Images}}{{.Repository}}:{{.Tag}} {{.Size}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}}|{{end}}",
    );
    const images = new Map(text.split("|").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1)]));
    const [size = "", shared = "", unique = "", users] = images.get("grown:2") ?? [];
    expect(users).toBe("0");
    near(bytes(shared) + bytes(unique), bytes(size));
    expect(bytes(shared)).toBeGreaterThan(20e6);
    expect(bytes(images.get("busybox:latest")?.[2] ?? "")).toBeLessThan(20e3);
  });

  testWith(needs, "as a table, as JSON, and at length", async () => {
    expect((await ok("system", "df")).split("\n")[0]).toMatch(/^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE$/);
    const [images] = (await ok("system", "df", "--format", "json")).split("\n");
    expect(Object.keys(JSON.parse(images ?? ""))).toEqual(["Active", "Reclaimable", "Size", "TotalCount", "Type"]);
    const text = await ok("system", "df", "-v");
    expect(text).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$/m);
    expect(text).toMatch(/^CONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES$/m);
    expect(text).toMatch(/^data +1 +5[\d.]+MB$/m);
    const document = JSON.parse(await ok("system", "df", "-v", "--format", "json"));
    expect(Object.keys(document).sort()).toEqual(["BuildCache", "Containers", "Images", "Volumes"]);
  });
});
