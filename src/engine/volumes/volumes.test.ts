import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../state/database.ts";
import { storePaths } from "../../state/paths.ts";
import { openVolumes, provideMounts, type Volumes, volumesSchema } from "./volumes.ts";

let directory: string;
let users: Record<string, readonly string[]>;
let volumes: Volumes;
let database: ReturnType<typeof openDatabase>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "galley-volumes-"));
  users = {};
  const paths = storePaths(directory, join(directory, "run"));
  database = openDatabase(paths.database, [volumesSchema]);
  volumes = openVolumes({ database, paths, inUse: (name) => users[name] ?? [] });
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const names = async (filters = {}) => (await volumes.list(filters)).map(({ name }) => name);
const left = () => readdirSync(volumes.directory).sort();

describe("a volume", () => {
  test("is made once, with its directory", async () => {
    const made = await volumes.create("data", { a: "b" });
    expect(made).toEqual({ name: "data", mountpoint: join(volumes.directory, "data/_data"), labels: { a: "b" } });
    expect(existsSync(made.mountpoint)).toBe(true);
    expect(await volumes.create("data", { c: "d" })).toEqual(made);
  });

  test("without a name has a made-up one", async () => {
    const { name, labels } = await volumes.create(undefined, {});
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(labels).toEqual({ "com.docker.volume.anonymous": "" });
  });

  test.each(["a", "../x", "-x", "a/b", "", "x".repeat(300)])("is not called %j", async (name) => {
    await expect(volumes.create(name, {})).rejects.toThrow(/volume name/);
    expect(existsSync(volumes.directory)).toBe(false);
  });

  test("that cannot be made is not there", async () => {
    writeFileSync(volumes.directory, "");
    await expect(volumes.create("data", {})).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect(await names()).toEqual([]);
  });

  test("is shown as docker shows it", async () => {
    await volumes.create("data", {});
    expect(await volumes.inspect("data")).toEqual({
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      Driver: "local",
      Labels: null,
      Mountpoint: join(volumes.directory, "data/_data"),
      Name: "data",
      Options: null,
      Scope: "local",
    });
    await expect(volumes.inspect("none")).rejects.toThrow("get none: no such volume");
  });

  test("of a transaction that is undone leaves nothing", async () => {
    const attempt = () =>
      volumes.table.change(() => {
        volumes.ensure(undefined);
        throw new Error("undone");
      });
    expect(attempt).toThrow("undone");
    expect([await names(), existsSync(volumes.directory)]).toEqual([[], false]);
  });

  test("whose directory is gone gets it back when it is needed", async () => {
    const { mountpoint } = await volumes.create("data", {});
    rmSync(join(volumes.directory, "data"), { recursive: true });
    await volumes.create("data", {});
    expect(existsSync(mountpoint)).toBe(true);
  });
});

describe("a list", () => {
  test("is filtered as docker filters", async () => {
    await volumes.create("web-data", { tier: "web" });
    await volumes.create("db-data", { tier: "db", big: "" });
    users = { "db-data": ["c1"] };
    expect(await names()).toEqual(["db-data", "web-data"]);
    expect(await names({ name: ["web"] })).toEqual(["web-data"]);
    expect(await names({ name: ["^db", "^web"] })).toEqual(["db-data", "web-data"]);
    expect(await names({ dangling: ["true"] })).toEqual(["web-data"]);
    expect(await names({ dangling: ["0"] })).toEqual(["db-data"]);
    expect(await names({ label: ["tier=db", "big"] })).toEqual(["db-data"]);
    expect(await names({ "label!": ["big"] })).toEqual(["web-data"]);
    expect(await names({ driver: ["nfs"] })).toEqual([]);
    await expect(volumes.list({ foo: ["x"] })).rejects.toThrow("invalid filter 'foo'");
    await expect(volumes.list({ dangling: ["x"] })).rejects.toThrow("invalid filter 'dangling=x'");
  });

  test("forgets an anonymous volume whose directory was removed", async () => {
    const { name } = await volumes.create(undefined, {});
    await volumes.create("kept", {});
    rmSync(volumes.directory, { recursive: true });
    users = { [name]: ["c1"] };
    expect(await names()).toContain(name);
    users = {};
    expect(await names()).toEqual(["kept"]);
  });
});

describe("removal", () => {
  test("leaves nothing", async () => {
    const { mountpoint } = await volumes.create("data", {});
    mkdirSync(join(mountpoint, "a/b"), { recursive: true });
    symlinkSync("/", join(mountpoint, "a/root"));
    await volumes.remove("data");
    expect(left()).toEqual([".removed"]);
    expect(readdirSync(join(volumes.directory, ".removed"))).toEqual([]);
    await expect(volumes.remove("data")).rejects.toThrow("no such volume");
  });

  test("is refused while a container has it", async () => {
    await volumes.create("data", {});
    users = { data: ["c1", "c2"] };
    await expect(volumes.remove("data")).rejects.toThrow("remove data: volume is in use - [c1, c2]");
    expect(await names()).toEqual(["data"]);
  });

  test("finishes what another one began", async () => {
    mkdirSync(join(volumes.directory, ".removed/old/_data"), { recursive: true });
    await volumes.create("data", {});
    await volumes.remove("data");
    expect(readdirSync(join(volumes.directory, ".removed"))).toEqual([]);
  });

  test("of a container's volumes takes the anonymous ones that nobody else has", async () => {
    const [one, two] = [await volumes.create(undefined, {}), await volumes.create(undefined, {})];
    await volumes.create("named", {});
    users = { [two.name]: ["other"] };
    await volumes.removeAnonymous([one.name, two.name, "named", "gone"]);
    expect((await names()).sort()).toEqual([two.name, "named"].sort());
  });

  test("of all that is unused counts bytes, each file once", async () => {
    const { name, mountpoint } = await volumes.create(undefined, {});
    writeFileSync(join(mountpoint, "file"), "12345");
    const { linkSync } = await import("node:fs");
    linkSync(join(mountpoint, "file"), join(mountpoint, "link"));
    await volumes.create("named", { keep: "" });
    await volumes.create("busy", {});
    users = { busy: ["c1"] };
    expect(await volumes.prune({ all: false, filters: {} })).toEqual({ removed: [name], reclaimed: 5 });
    expect(await volumes.prune({ all: true, filters: { "label!": ["keep"] } })).toEqual({ removed: [], reclaimed: 0 });
    expect((await volumes.prune({ all: true, filters: {} })).removed).toEqual(["named"]);
    expect(await names()).toEqual(["busy"]);
  });
});

describe("mounts are provided", () => {
  let layer: string;
  beforeEach(() => {
    layer = join(directory, "layer");
    mkdirSync(join(layer, "data/sub"), { recursive: true });
    chmodSync(join(layer, "data"), 0o750);
    writeFileSync(join(layer, "data/sub/file"), "image");
    symlinkSync("/data", join(layer, "link"));
  });
  const provide = (...requests: Parameters<typeof provideMounts>[0]) => provideMounts(requests, volumes, [layer]);

  test("volumes with the image's content while they are empty", async () => {
    const [one] = await provide({ type: "volume", source: "data", target: "/link", readonly: true });
    expect(one).toEqual({
      name: "data",
      source: volumes.mountpoint("data"),
      target: "/link",
      type: "volume",
      readonly: true,
    });
    expect(readFileSync(join(one!.source, "sub/file"), "utf8")).toBe("image");
    const { statSync } = await import("node:fs");
    expect(statSync(one!.source).mode & 0o777).toBe(0o750);
    writeFileSync(join(one!.source, "sub/file"), "mine");
    await provide({ type: "volume", source: "data", target: "/data" });
    expect(readFileSync(join(one!.source, "sub/file"), "utf8")).toBe("mine");
  });

  test("a copy that was cut off is begun anew", async () => {
    const { mountpoint } = await volumes.create("data", {});
    writeFileSync(join(mountpoint, "half"), "");
    volumes.table.setCopying("data", true);
    await provide({ type: "volume", source: "data", target: "/data" });
    expect(readdirSync(mountpoint).sort()).toEqual(["half", "sub"]);
    expect(volumes.row("data").copying).toBe(0);
  });

  test("several at once copy once", async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => provide({ type: "volume", source: "data", target: "/data" })),
    );
    expect(all.map(([one]) => readFileSync(join(one!.source, "sub/file"), "utf8"))).toEqual(Array(8).fill("image"));
  });

  test("nothing is copied where that is not wanted or there is nothing", async () => {
    const [one, two] = await provide(
      { type: "volume", source: "data", target: "/data", noCopy: true },
      { type: "volume", target: "/none" },
    );
    expect([one, two].map((each) => readdirSync(each!.source))).toEqual([[], []]);
  });

  test("binds, their directories made for -v alone; a failure takes back what was made", async () => {
    const source = join(directory, "made/here");
    await provide({ type: "bind", source, target: "/b", createSource: true });
    expect(existsSync(source)).toBe(true);
    await expect(
      provide({ type: "volume", target: "/v" }, { type: "bind", source: join(directory, "none"), target: "/b" }),
    ).rejects.toThrow("bind source path does not exist");
    expect(await names()).toEqual([]);
  });
});
