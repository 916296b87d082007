import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asSkopeo } from "../harness/as-skopeo.ts";
import { createStore, galleyProgram, type Store } from "../harness/galley.ts";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

const auth = { user: "someone", password: "pass:word" };
const image = (architecture: string) =>
  buildImage({
    layers: [{ entries: [file("a", `for ${architecture}`)] }],
    platform: { os: "linux", architecture },
    config: { Env: ["A=b"], Labels: { text: "<&>" } },
  });

let registry: Registry;
let locked: Registry;
let store: Store;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-commands-"));
  [registry, locked] = await Promise.all([startRegistry(), startRegistry({ auth })]);
  await registry.push("team/app", "1", image("amd64"));
  await registry.push("team/app", "2", image("arm64"));
  await registry.push("team/app", "list", buildIndex([image("amd64"), image("arm64")]));
  store = createStore();
});
afterAll(async () => {
  await Promise.all([registry?.stop(), locked?.stop()]);
  await store?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);

function debian(args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["skopeo", "--insecure-policy", ...args]);
  if (exitCode !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

const skopeo = (args: readonly string[]) => asSkopeo(store, args);

const needs = { commands: ["skopeo", "docker-registry"] };
const from = (tag: string) => `docker://${registry.host}/team/app:${tag}`;

describe("what skopeo prints, Galley prints", () => {
  for (const args of [["--raw"], ["--config"], ["--config", "--raw"]]) {
    testWith(needs, `inspect ${args.join(" ")}`, async () => {
      const own = await skopeo(["inspect", ...args, from("1")]);
      expect(own.stdout).toBe(debian(["inspect", "--tls-verify=false", ...args, from("1")]));
    });
  }

  testWith(needs, "inspect, of the platform that is asked for", async () => {
    const own = await skopeo(["--override-arch", "arm64", "inspect", from("list")]);
    const theirs = debian(["--override-arch", "arm64", "inspect", "--tls-verify=false", from("list")]);
    // Debian's skopeo is too old for LayersData.
    const { LayersData, ...rest } = JSON.parse(own.stdout) as Record<string, unknown>;
    expect(JSON.stringify(rest)).toBe(JSON.stringify(JSON.parse(theirs)));
    expect(LayersData).toHaveLength(1);
    expect(own.stdout).toContain('"text": "\\u003c\\u0026\\u003e"');
  });

  testWith(needs, "list-tags", async () => {
    const args = [`docker://${registry.host}/team/app`];
    expect((await skopeo(["list-tags", ...args])).stdout).toBe(debian(["list-tags", "--tls-verify=false", ...args]));
  });

  testWith(needs, "manifest-digest", async () => {
    const path = fresh("manifest");
    writeFileSync(path, image("amd64").bytes);
    expect((await skopeo(["manifest-digest", path])).stdout).toBe(debian(["manifest-digest", path]));
  });

  testWith(needs, "copy to a directory, file by file", async () => {
    const [own, theirs] = [fresh("own"), fresh("theirs")];
    const copied = await skopeo(["copy", "--all", from("list"), `dir:${own}`]);
    expect(copied.stdout).toContain("Writing manifest to image destination");
    debian(["copy", "-q", "--all", "--src-tls-verify=false", from("list"), `dir:${theirs}`]);
    expect(readdirSync(own).sort()).toEqual(readdirSync(theirs).sort());
    for (const name of readdirSync(theirs)) {
      expect(readFileSync(join(own, name)).equals(readFileSync(join(theirs, name)))).toBeTrue();
    }
  });
});

test("inspect takes templates, and `galley inspect` knows transports", async () => {
  const format = "{{.Name}} {{.Architecture}} {{len .Layers}} {{index .Env 0}}";
  expect(await store.ok(["inspect", "--format", format, from("1")])).toBe(`${registry.host}/team/app amd64 1 A=b`);
  expect(await store.ok(["inspect", "--config", "-f", "{{.OS}} {{.RootFS.Type}}", from("1")])).toBe("linux layers");
});

describe("failures", () => {
  test("an image that is not there has a status of its own", async () => {
    for (const args of [
      ["copy", from("none"), `dir:${fresh("d")}`],
      ["inspect", from("none")],
    ]) {
      const { status, stderr } = await skopeo(args);
      expect({ status, named: stderr.includes("team/app:none") }).toEqual({ status: 2, named: true });
    }
  });
  for (const [what, args, message] of [
    ["no transport", ["copy", "busybox", "dir:x"], "expected colon-separated transport:reference"],
    [
      "an unknown transport",
      ["copy", "what:ever", "dir:x"],
      'level=fatal msg="Invalid image name \\"what:ever\\", unknown transport \\"what\\"',
    ],
    ["a hostile name for a layout", ["copy", "dir:/a", "oci:/b:../../c"], "cannot be the name of an image"],
    ["an unknown format", ["copy", "-f", "v9", "dir:/a", "dir:/b"], "unknown format"],
    ["a tag where a repository is meant", ["list-tags", "docker://a/b:c"], "No tag or digest allowed"],
    [
      "Sequoia",
      ["copy", "--sign-by-sq-fingerprint", "me", "dir:/a", "dir:/b"],
      "--sign-by-sq-fingerprint is not supported",
    ],
    [
      "a check of signatures",
      ["--require-signed", "copy", "dir:/a", "dir:/b"],
      "No signature verification policy found for image dir:/a",
    ],
    ["a command that there is not", ["standalone-dance"], "unknown command"],
  ] as const) {
    test(what, async () => {
      const { status, stderr } = await skopeo(args);
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain(message);
    });
  }
  test("a directory that holds other things is left alone", async () => {
    const other = fresh("other");
    mkdirSync(other);
    writeFileSync(join(other, "precious"), "");
    const { status, stderr } = await skopeo(["copy", from("1"), `dir:${other}`]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("holds other things") as string });
    expect(readdirSync(other)).toEqual(["precious"]);
  });
});

test("delete removes from a registry and from a layout", async () => {
  const place = `docker://${registry.host}/team/gone:1`;
  await store.ok(["copy", "-q", from("1"), place]);
  await store.ok(["delete", place]);
  expect((await store.galley(["inspect", place])).status).toBe(2);
  const layout = fresh("layout");
  await store.ok(["copy", "-q", from("1"), `oci:${layout}:one`]);
  await store.ok(["copy", "-q", from("2"), `oci:${layout}:two`]);
  await store.ok(["delete", `oci:${layout}:one`]);
  expect(readdirSync(join(layout, "blobs/sha256"))).toHaveLength(3);
  expect(await store.ok(["inspect", "-f", "{{.Architecture}}", `oci:${layout}`])).toBe("arm64");
});

describe("login", () => {
  const place = () => `docker://${locked.host}/team/private:1`;
  test("is asked of the registry, kept, used and forgotten", async () => {
    const wrong = await store.galley(["login", "-u", auth.user, "-p", "wrong", locked.host]);
    expect({ status: wrong.status, told: wrong.stderr.includes("invalid username/password") }).toEqual({
      status: 1,
      told: true,
    });
    expect((await store.galley(["copy", "-q", from("1"), place()])).status).toBe(1);
    const login = ["login", "-u", auth.user, "--password-stdin", locked.host];
    expect(await store.ok(login, { stdin: `${auth.password}\n` })).toBe("Login Succeeded");
    expect(await store.ok(["login", "--get-login", locked.host])).toBe(auth.user);
    await store.ok(["copy", "-q", from("1"), place()]);
    expect(await store.ok(["list-tags", `docker://${locked.host}/team/private`])).toContain('"1"');
    await store.ok(["logout", locked.host]);
    expect((await store.galley(["inspect", place()])).status).toBe(1);
  });

  testWith(needs, "is understood by skopeo, and the other way round", async () => {
    const [own, theirs] = [fresh("own.json"), fresh("theirs.json")];
    const login = ["login", "-u", auth.user, "-p", auth.password, locked.host];
    await store.ok([...login, "--authfile", own]);
    debian(["list-tags", "--authfile", own, "--tls-verify=false", `docker://${locked.host}/team/private`]);
    debian([...login, "--authfile", theirs, "--tls-verify=false"]);
    await store.ok(["list-tags", "--authfile", theirs, `docker://${locked.host}/team/private`]);
  });

  test("may be given for one command", async () => {
    const creds = `${auth.user}:${auth.password}`;
    await store.ok(["copy", "-q", "--dest-creds", creds, from("1"), place()]);
    await store.ok(["inspect", "--creds", creds, place()]);
  });
});

describe("sync", () => {
  test("from a registry to a directory and back", async () => {
    const [plain, scoped] = [fresh("plain"), fresh("scoped")];
    const repository = `${registry.host}/team/app`;
    await store.ok(["sync", "--src", "docker", "--dest", "dir", "--all", repository, plain]);
    expect(readdirSync(plain).sort()).toEqual(["app:1", "app:2", "app:list"]);
    await store.ok(["sync", "-s", "docker", "-d", "dir", "--scoped", `${repository}:1`, scoped]);
    expect(readdirSync(join(scoped, registry.host, "team"))).toEqual(["app:1"]);
    const digests = fresh("digests");
    await store.ok(["sync", "-s", "dir", "-d", "docker", "--digestfile", digests, plain, `${registry.host}/back`]);
    expect(await store.ok(["list-tags", `docker://${registry.host}/back/app`])).toContain('"list"');
    expect(readFileSync(digests, "utf8")).toContain(`docker://${registry.host}/back/app:1`);
  });

  test("of what a file names, going on after a failure", async () => {
    const path = fresh("sync.yml");
    const settings = {
      images: { "team/app": ["1", "none"] },
      "images-by-tag-regex": { "team/app": "^2$" },
      "tls-verify": false,
    };
    writeFileSync(path, JSON.stringify({ [registry.host]: settings }));
    const at = fresh("yaml");
    const args = ["sync", "-s", "yaml", "-d", "dir", path, at];
    const dry = await store.galley([...args, "--dry-run"]);
    expect(dry.stderr).toContain("Would have synced 3 images");
    expect(existsSync(at)).toBeFalse();
    const { status, stderr } = await store.galley([...args, "--keep-going"]);
    expect({ status, told: stderr.includes("team/app:none") }).toEqual({ status: 1, told: true });
    expect(readdirSync(at).sort()).toEqual(["app:1", "app:2"]);
  });
});

test("archives go through pipes", async () => {
  const child = Bun.spawn(
    [
      "sh",
      "-c",
      `'${galleyProgram()}' copy '${from("1")}' docker-archive:-:a:1 | '${galleyProgram()}' copy -q docker-archive:- dir:'${fresh("piped")}'`,
    ],
    {
      env: { PATH: process.env.PATH, HOME: store.home, GALLEY_ROOT: store.root, GALLEY_RUNROOT: store.runroot },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const said = await new Response(child.stderr).text();
  expect({ status: await child.exited, said }).toEqual({ status: 0, said: "" });
});

test("sync takes tags that look like numbers as they are written", async () => {
  for (const tag of ["1.0", "2.10", "v3.1"])
    await store.ok(["copy", "-q", from("1"), `docker://${registry.host}/team/numbers:${tag}`]);
  const path = fresh("numbers.yml");
  const images = `  images:\n    team/numbers:\n      - 1.0\n      - 2.10 # the tenth\n`;
  writeFileSync(path, `${registry.host}:\n${images}  images-by-semver:\n    team/numbers: ">= 3.0"\n`);
  const at = fresh("numbers");
  await store.ok(["sync", "-s", "yaml", "-d", "dir", path, at]);
  expect(readdirSync(at).sort()).toEqual(["numbers:1.0", "numbers:2.10", "numbers:v3.1"]);
});

describe("the store's images", () => {
  testWith({ root: true }, "are a place like any other", async () => {
    await store.ok(["copy", "-q", from("1"), "containers-storage:kept:1"]);
    const kept = await store.ok(["inspect", "--raw", "containers-storage:kept:1"]);
    expect(kept).toBe(await store.ok(["inspect", "--raw", from("1")]));
    const zstd = ["--dest-compress-format", "zstd"];
    await store.ok(["copy", "-q", ...zstd, from("1"), "containers-storage:packed:1"]);
    const id = ["image", "inspect", "-f", "{{.Id}}"];
    expect(await store.ok([...id, "packed:1"])).toBe(await store.ok([...id, "kept:1"]));
    const { status, stderr } = await store.galley(["copy", "-q", "--all", from("list"), "containers-storage:list:1"]);
    expect({ status, told: stderr.includes("does not support copying multiple images as a group") }).toEqual({
      status: 1,
      told: true,
    });
    expect((await store.galley(["inspect", "containers-storage:list:1"])).status).toBe(2);
    await store.ok(["rmi", "-f", "kept:1", "packed:1"]);
    expect(readdirSync(join(store.root, "content/blobs/sha256"))).toEqual([]);
  });

  testWith({ root: true }, "are pushed, saved, loaded and imported in docker's words", async () => {
    const name = `${registry.host}/team/app:1`;
    await store.ok(["pull", "-q", name]);
    await store.ok(["tag", name, `${registry.host}/team/pushed:a`]);
    const pushed = await store.ok(["push", `${registry.host}/team/pushed:a`]);
    expect(pushed).toMatch(
      /^The push refers to repository \[\S+\/team\/pushed\]\n(\w{12}: .*\n)+a: digest: sha256:\w{64} size: \d+$/,
    );
    expect(await store.ok(["push", "-q", `${registry.host}/team/pushed:a`])).toBe(`${registry.host}/team/pushed:a`);
    await store.ok(["tag", name, "saved:1"]);
    const before = await store.ok(["image", "inspect", "-f", "{{.Id}} {{.RootFS.Layers}}", "saved:1"]);
    const archive = fresh("saved.tar");
    await store.ok(["save", "-o", archive, "saved:1", name]);
    await store.ok(["rmi", "-f", "saved:1", name, `${registry.host}/team/pushed:a`]);
    expect(await store.ok(["load", "-i", archive])).toBe(`Loaded image: saved:1\nLoaded image: ${name}`);
    expect(await store.ok(["image", "inspect", "-f", "{{.Id}} {{.RootFS.Layers}}", "saved:1"])).toBe(before);
    const compressed = Bun.gzipSync(readFileSync(archive));
    expect(await store.ok(["load"], { stdin: compressed })).toContain("Loaded image: saved:1");
    const oci = fresh("oci.tar");
    await store.ok(["save", "--format", "oci-archive", "-o", oci, "saved:1"]);
    await store.ok(["rmi", "-f", "saved:1", name]);
    await store.ok(["load", "-i", oci]);
    expect(await store.ok(["image", "inspect", "-f", "{{.Id}} {{.RootFS.Layers}}", "saved:1"])).toBe(before);
    const layer = tar([file("etc/hello", "you")]);
    const id = await store.ok(["import", "-c", "CMD cat /etc/hello", "-m", "made", "-", "imported:1"], {
      stdin: layer,
    });
    expect(id).toMatch(/^sha256:\w{64}$/);
    expect(await store.ok(["image", "inspect", "-f", "{{.Config.Cmd}} {{.Comment}}", id])).toBe(
      "[/bin/sh -c cat /etc/hello] made",
    );
  });
  async function savedTogether(): Promise<void> {
    const name = `${registry.host}/team/app:1`;
    await store.ok(["pull", "-q", name]);
    await store.ok(["tag", name, "saved:1"]);
    const before = await store.ok(["image", "inspect", "-f", "{{.Id}} {{.RootFS.Layers}}", "saved:1"]);
    await store.ok(["import", "-", "second:2"], { stdin: tar([file("second", "2")]) });
    await store.ok(["tag", "saved:1", "again:1"]);
    const names = ["saved:1", "second:2", "again:1"];
    const [archive, directory, plain] = [fresh("several.tar"), fresh("several"), fresh("plain")];
    await store.ok(["save", "-m", "-q", "--format", "oci-archive", "-o", archive, ...names]);
    await store.ok(["save", "--uncompressed", "--format", "oci-dir", "-o", directory, ...names]);
    await store.ok(["save", "--compress", "--format", "docker-dir", "-o", plain, "second:2"]);
    const shown = (place: string) => JSON.parse(debian(["inspect", "--raw", place]));
    for (const name of names) {
      const full = `docker.io/library/${name}`;
      expect(shown(`oci-archive:${archive}:${full}`).layers[0].mediaType).toEndWith("+gzip");
    }
    expect(shown(`oci:${directory}:docker.io/library/second:2`).layers[0].mediaType).toEndWith(".tar");
    expect(shown(`dir:${plain}`).layers[0].mediaType).toEndWith("gzip");
    await store.ok(["rmi", "-f", ...names]);
    for (const path of [archive, directory]) {
      expect((await store.ok(["load", "-i", path])).split("\n").sort()).toEqual(
        names.map((name) => `Loaded image: ${name}`).sort(),
      );
      expect(await store.ok(["image", "inspect", "-f", "{{.Id}} {{.RootFS.Layers}}", "again:1"])).toBe(before);
    }
    const refused = await store.galley(["save", "--format", "docker-dir", "-o", fresh("two"), ...names]);
    expect(refused.stderr).toContain("holds one image");
  }

  const several = "are saved several at a time to an archive and a directory of OCI's layout, as skopeo reads them";
  testWith({ root: true, commands: ["skopeo"] }, several, savedTogether, 30_000);
});
