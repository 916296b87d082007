/** Flags of skopeo's commands, each by what comes of it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file } from "../harness/tar.ts";

const auth = { user: "someone", password: "pass:word" };
const creds = `${auth.user}:${auth.password}`;
const image = (architecture: string, variant?: string) =>
  buildImage({
    layers: [{ entries: [file("a", `for ${architecture} ${"x".repeat(5000)}`)] }],
    platform: { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) },
  });

let plain: Registry;
let locked: Registry;
let secure: Registry;
let store: Store;
let directory: string;
let authfile: string;
let certificates: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-flags-"));
  [plain, locked, secure] = await Promise.all([startRegistry(), startRegistry({ auth }), startRegistry({ tls: true })]);
  await plain.push("team/app", "1", image("amd64"));
  await plain.push("team/app", "list", buildIndex([image("amd64"), image("arm", "v6"), image("arm", "v7")]));
  await locked.push("team/app", "1", image("amd64"));
  await secure.push("team/app", "1", image("amd64"));
  authfile = join(directory, "auth.json");
  const login = { auth: Buffer.from(creds).toString("base64") };
  writeFileSync(authfile, JSON.stringify({ auths: { [locked.host]: login } }));
  certificates = join(directory, "certificates");
  mkdirSync(certificates);
  copyFileSync(secure.authority ?? "", join(certificates, "ca.crt"));
  store = createStore();
});
afterAll(async () => {
  await Promise.all([plain?.stop(), locked?.stop(), secure?.stop()]);
  await store?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);
const at = (registry: Registry, name = "team/app:1") => `docker://${registry.host}/${name}`;
const ok = (...args: readonly string[]) => store.ok(args);
async function refused(message: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await store.galley(args);
  expect({ status: status > 0, told: stderr.includes(message) ? message : stderr }).toEqual({
    status: true,
    told: message,
  });
}

describe("logins", () => {
  test("of a copy, for each side", async () => {
    await ok("copy", "-q", "--src-creds", creds, "--dest-no-creds", at(locked), at(plain, "from/creds:1"));
    await ok(
      "copy",
      "-q",
      "--src-username",
      auth.user,
      "--src-password",
      auth.password,
      at(locked),
      at(plain, "from/name:1"),
    );
    await ok(
      "copy",
      "-q",
      "--dest-username",
      auth.user,
      "--dest-password",
      auth.password,
      at(plain),
      at(locked, "to/name:1"),
    );
    await ok("copy", "-q", "--src-authfile", authfile, at(locked), at(plain, "from/file:1"));
    await ok("copy", "-q", "--dest-authfile", authfile, at(plain), at(locked, "to/file:1"));
    await ok("copy", "-q", "--authfile", authfile, at(locked, "to/name:1"), at(locked, "to/both:1"));
    const nobody = ["copy", "-q", "--authfile", authfile, "--src-no-creds", at(locked), `dir:${fresh("none")}`];
    await refused("access denied", ...nobody);
  });

  test("of the other commands", async () => {
    const [name, password] = [
      ["--username", auth.user],
      ["--password", auth.password],
    ] as const;
    const list = `docker://${locked.host}/team/app`;
    for (const how of [
      ["--creds", creds],
      [...name, ...password],
      ["--authfile", authfile],
    ]) {
      expect(await ok("list-tags", ...how, list)).toContain('"1"');
      expect(await ok("inspect", ...how, "-f", "{{.Architecture}}", at(locked))).toBe("amd64");
    }
    await refused("access denied", "list-tags", "--authfile", authfile, "--no-creds", list);
    await refused("access denied", "inspect", "--authfile", authfile, "--no-creds", at(locked));
    for (const [tag, how] of [
      ["a", ["--creds", creds]],
      ["b", [...name, ...password]],
      ["c", ["--authfile", authfile]],
    ] as const) {
      await locked.push(`gone/${tag}`, "1", image(`for-${tag}`));
      await refused("access denied", "delete", "--no-creds", at(locked, `gone/${tag}:1`));
      await ok("delete", ...how, at(locked, `gone/${tag}:1`));
      await refused("not found", "inspect", "--creds", creds, at(locked, `gone/${tag}:1`));
    }
  });

  test("of sync", async () => {
    const sync = ["sync", "-s", "docker", "-d", "docker"];
    const [from, to] = [`${locked.host}/team/app:1`, (name: string) => `${plain.host}/${name}`];
    await ok(...sync, "--src-creds", creds, "--dest-no-creds", from, to("s1"));
    await ok(...sync, "--src-username", auth.user, "--src-password", auth.password, from, to("s2"));
    await ok(...sync, "--src-authfile", authfile, from, to("s3"));
    const back = [`${plain.host}/team/app:1`, `${locked.host}/back`];
    await ok(...sync, "--dest-creds", creds, ...back);
    await ok(...sync, "--dest-username", auth.user, "--dest-password", auth.password, ...back);
    await ok(...sync, "--dest-authfile", authfile, ...back);
    await ok(...sync, "--authfile", authfile, ...back);
    await refused("access denied", ...sync, "--src-no-creds", from, to("s4"));
  });

  test("by a token that is sent as it is", async () => {
    const seen = new Set<string>();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        for (const header of ["authorization", "user-agent"]) seen.add(request.headers.get(header) ?? "");
        return Response.json(
          { name: "a", tags: ["1"] },
          { headers: { "docker-distribution-api-version": "registry/2.0" } },
        );
      },
    });
    try {
      const name = `docker://127.0.0.1:${server.port}/a`;
      await ok("list-tags", "--user-agent-prefix", "ours/1", "--registry-token", "t1", name);
      expect([...seen]).toContain("ours/1 galley");
      await refused("/nosuch", "list-tags", "--tls-details", "/nosuch", name);
      await store.galley(["inspect", "--registry-token", "t2", `${name}:1`]);
      await store.galley(["copy", "--src-registry-token", "t3", `${name}:1`, `dir:${fresh("x")}`]);
      await store.galley(["copy", "-q", "--dest-registry-token", "t4", at(plain), `${name}:1`]);
      await store.galley(["delete", "--registry-token", "t5", `${name}:1`]);
      for (const token of ["t1", "t2", "t3", "t4", "t5"]) expect([...seen]).toContain(`Bearer ${token}`);
    } finally {
      await server.stop(true);
    }
  });
});

describe("certificates", () => {
  test("of a copy, for each side", async () => {
    await refused("certificate", "copy", "-q", at(secure), `dir:${fresh("none")}`);
    await ok("copy", "-q", "--src-cert-dir", certificates, at(secure), `dir:${fresh("from")}`);
    await ok("copy", "-q", "--src-tls-verify=false", at(secure), `dir:${fresh("from")}`);
    await ok("copy", "-q", "--dest-cert-dir", certificates, at(plain), at(secure, "to/cert:1"));
    await ok("copy", "-q", "--dest-tls-verify=false", at(plain), at(secure, "to/any:1"));
  });

  test("of the other commands", async () => {
    for (const how of [["--cert-dir", certificates], ["--tls-verify=false"]]) {
      expect(await ok("list-tags", ...how, `docker://${secure.host}/team/app`)).toContain('"1"');
      expect(await ok("inspect", "-n", ...how, "-f", "{{.Os}}", at(secure))).toBe("linux");
      await ok("copy", "-q", "--dest-tls-verify=false", at(plain), at(secure, "gone/app:1"));
      await ok("delete", ...how, at(secure, "gone/app:1"));
    }
    const sync = ["sync", "-s", "docker", "-d", "docker"];
    for (const how of ["--src-cert-dir", "--src-tls-verify"]) {
      const value = how === "--src-cert-dir" ? certificates : "false";
      await ok(...sync, `${how}=${value}`, `${secure.host}/team/app:1`, `${plain.host}/secure`);
    }
    for (const how of ["--dest-cert-dir", "--dest-tls-verify"]) {
      const value = how === "--dest-cert-dir" ? certificates : "false";
      await ok(...sync, `${how}=${value}`, `${plain.host}/team/app:1`, `${secure.host}/plain`);
    }
  });
});

describe("what is copied", () => {
  test("of a list: by platform, whole, or its index alone", async () => {
    const arm = ["--override-os", "linux", "--override-arch", "arm", "--override-variant", "v6"];
    expect(await ok("inspect", "--raw", "--config", ...arm, at(plain, "team/app:list"))).toContain('"v6"');
    const v6 = fresh("v6");
    await ok("copy", "-q", ...arm, at(plain, "team/app:list"), `dir:${v6}`);
    expect(await ok("inspect", "--raw", "--config", `dir:${v6}`)).toContain('"v6"');
    await refused(
      'no image found in manifest list for architecture "amd64", variant "", OS "plan9"',
      "copy",
      "-q",
      "--override-os",
      "plan9",
      at(plain, "team/app:list"),
      `dir:${fresh("x")}`,
    );
    const all = fresh("all");
    await ok("copy", "-q", "--multi-arch", "all", at(plain, "team/app:list"), `dir:${all}`);
    expect(readdirSync(all).filter((name) => name.endsWith(".manifest.json"))).toHaveLength(3);
    const only = fresh("only");
    await ok("copy", "-q", "--multi-arch", "index-only", at(plain, "team/app:list"), `dir:${only}`);
    expect(readdirSync(only).sort()).toEqual(["manifest.json", "version"]);
    const synced = fresh("synced");
    await ok(
      "sync",
      "-s",
      "docker",
      "-d",
      "dir",
      ...arm,
      "--append-suffix",
      "-old",
      `${plain.host}/team/app:list`,
      synced,
    );
    expect(await ok("inspect", "--raw", "--config", `dir:${synced}/app:list-old`)).toContain('"v6"');
  });

  test("digests are preserved or the copy refused, and told in a file", async () => {
    const digestfile = fresh("digest");
    const target = fresh("dir");
    await ok("copy", "-q", "--preserve-digests", "--digestfile", digestfile, at(plain), `dir:${target}`);
    const digest = await ok("inspect", "-f", "{{.Digest}}", `dir:${target}`);
    expect(readFileSync(digestfile, "utf8")).toBe(digest);
    expect(await ok("inspect", "-f", "{{.Digest}}", "--no-tags", at(plain))).toBe(digest);
    await refused(
      "Instructed to preserve digests",
      "copy",
      "-q",
      "--preserve-digests",
      "-f",
      "v2s2",
      at(plain),
      `dir:${fresh("x")}`,
    );
    expect(await ok("inspect", "--manifest-digest", "sha512", "-f", "{{.Digest}}", "-n", at(plain))).toStartWith(
      "sha512:",
    );
    const sync = ["sync", "-s", "docker", "-d", "dir", "--preserve-digests", "-f", "v2s2"];
    await refused("Instructed to preserve digests", ...sync, `${plain.host}/team/app:1`, fresh("sync"));
  });

  test("layers are compressed as asked", async () => {
    const typeOf = async (place: string) =>
      JSON.parse(await ok("inspect", "--raw", place)).layers[0].mediaType as string;
    const open = fresh("open");
    await ok("copy", "-q", "--dest-decompress", at(plain), `dir:${open}`);
    expect(await typeOf(`dir:${open}`)).toEndWith(".tar");
    const packed = fresh("packed");
    await ok("copy", "-q", "--dest-compress", `dir:${open}`, `dir:${packed}`);
    expect(await typeOf(`dir:${packed}`)).toEndWith("gzip");
    const layout = fresh("layout");
    await ok("copy", "-q", "--dest-oci-accept-uncompressed-layers", `dir:${open}`, `oci:${layout}:open`);
    expect(await typeOf(`oci:${layout}:open`)).toEndWith(".tar");
    const sizes: number[] = [];
    for (const level of ["1", "9"]) {
      const place = `oci:${fresh("level")}`;
      const force = ["--dest-compress-format", "gzip", "--dest-force-compress-format", "--dest-precompute-digests"];
      await ok("copy", "-q", ...force, "--dest-compress-level", level, `dir:${open}`, place);
      sizes.push(JSON.parse(await ok("inspect", "--raw", place)).layers[0].size as number);
    }
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
  });

  test("blobs of layouts are shared, and an archive has more names", async () => {
    const [shared, layout] = [fresh("shared"), fresh("layout")];
    await ok("copy", "-q", "--dest-shared-blob-dir", shared, at(plain), `oci:${layout}:a`);
    expect(readdirSync(join(shared, "sha256"))).toHaveLength(3);
    await ok("copy", "-q", "--src-shared-blob-dir", shared, `oci:${layout}:a`, `dir:${fresh("out")}`);
    expect(await ok("inspect", "--shared-blob-dir", shared, "-f", "{{.Os}}", `oci:${layout}:a`)).toBe("linux");
    await ok("delete", "--shared-blob-dir", shared, `oci:${layout}:a`);
    await refused("", "inspect", "--shared-blob-dir", shared, `oci:${layout}:a`);
    expect(readdirSync(join(shared, "sha256"))).toHaveLength(3);
    const archive = fresh("archive.tar");
    await ok(
      "copy",
      "-q",
      "--additional-tag",
      "b:2",
      "--additional-tag",
      "c:3",
      at(plain),
      `docker-archive:${archive}:a:1`,
    );
    expect(await ok("list-tags", `docker-archive:${archive}`)).toContain('"c:3"');
  });
});

test("--tmpdir is where what must be kept aside is kept, and --command-timeout ends what takes too long", async () => {
  const archive = fresh("archive.tar");
  await ok("copy", "-q", at(plain), `oci-archive:${archive}`);
  const compressed = `${archive}.gz`;
  writeFileSync(compressed, Bun.gzipSync(readFileSync(archive)));
  await refused("/nowhere", "copy", "-q", "--tmpdir", "/nowhere", `oci-archive:${compressed}`, `dir:${fresh("x")}`);
  await ok("copy", "-q", "--tmpdir", directory, `oci-archive:${compressed}`, `dir:${fresh("x")}`);
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => undefined) });
  try {
    const name = `docker://127.0.0.1:${server.port}/a`;
    const late = ["--command-timeout", "300ms"];
    for (const args of [
      ["inspect", ...late, `${name}:1`],
      ["list-tags", ...late, name],
      ["delete", ...late, `${name}:1`],
      ["copy", ...late, `${name}:1`, `dir:${fresh("x")}`],
      ["sync", ...late, "-s", "docker", "-d", "dir", `127.0.0.1:${server.port}/a:1`, fresh("x")],
    ]) {
      await refused("the time is over", ...args);
    }
  } finally {
    await server.stop(true);
  }
});

test("a number of layers at a time is less than zero for nobody", () =>
  refused(
    "is less than zero",
    ...["copy", "--image-parallel-copies", "-1", "--src-tls-verify=false", at(plain), `dir:${fresh("negative")}`],
  ));

test("with one layer at a time, the next is asked for when the one before is there", async () => {
  const three = buildImage({ layers: ["a", "b", "c"].map((name) => ({ entries: [file(name, name.repeat(5000))] })) });
  await plain.push("team/three", "1", three);
  const layers = three.blobs.slice(1).map(({ descriptor }) => descriptor.digest);
  let [now, most, hold] = [0, 0, 50];
  const all = Promise.withResolvers<void>();
  using slow = Bun.serve({
    port: 0,
    async fetch({ url, method, headers }) {
      const { pathname } = new URL(url);
      const answer = await fetch(`http://${plain.host}${pathname}`, { method, headers });
      if (!layers.some((digest) => pathname.endsWith(digest))) return answer;
      most = Math.max(most, ++now);
      if (now === layers.length) all.resolve();
      await Promise.race([all.promise, Bun.sleep(hold)]);
      now--;
      return answer;
    },
  });
  const from = `docker://127.0.0.1:${slow.port}/team/three:1`;
  await ok("copy", "-q", "--src-tls-verify=false", "--image-parallel-copies", "1", from, `dir:${fresh("one")}`);
  expect(most).toBe(1);
  hold = 20_000; // Until all are asked for, on a machine however busy.
  await ok("copy", "-q", "--src-tls-verify=false", from, `dir:${fresh("default")}`);
  expect(most).toBe(3);
});

test("tags are asked of the place that registries.conf names", async () => {
  const conf = fresh("registries.conf");
  writeFileSync(conf, `[[registry]]\nprefix = "far.example"\nlocation = "${plain.host}"\ninsecure = true\n`);
  const listed = JSON.parse(await ok("list-tags", "--registries-conf", conf, "docker://far.example/team/app"));
  expect(listed.Repository).toBe("far.example/team/app");
  expect(listed.Tags).toContain("list");
});
