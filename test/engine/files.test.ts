/** Files of containers: what was changed, archives in and out, images made of it, on the real kernel. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTar } from "../../src/image/layers/tar/read-tar.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { Lab } from "./lab.ts";

const needs = { root: true, commands: ["tar"] };
const ready = missing(needs) === undefined;
let lab: Lab;
let store: Store;
let host: string;

beforeAll(async () => {
  if (!ready) return;
  lab = await Lab.open();
  store = createStore();
  host = mkdtempSync(join(tmpdir(), "gf-"));
});

afterAll(async () => {
  if (!ready) return;
  await lab[Symbol.asyncDispose]();
  await store.cleanup();
  rmSync(host, { recursive: true, force: true });
});

/** Names of an archive with their type and content. */
async function members(tar: AsyncIterable<Uint8Array>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { entry, body } of readTar(tar)) {
    let text = "";
    for await (const chunk of body) text += Buffer.from(chunk).toString();
    found.set(
      entry.name,
      `${entry.type} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.linkName || text.slice(0, 40)}`,
    );
  }
  return found;
}

const changing = `mkdir /made && echo x >/made/f && chown 5:6 /made/f && chmod 640 /made/f && rm /bin/vi && echo n >>/etc/passwd
  ln -s /etc/passwd /link; rm -r /var && mkdir /var; touch /tmp/gone && rm /tmp/gone; chmod 755 /etc/group; chmod 644 /etc/group`;
const changes = [
  "changed /bin",
  "removed /bin/vi",
  "changed /etc",
  "changed /etc/passwd",
  "added /link",
  "added /made",
  "added /made/f",
];

describe("diff", () => {
  testWith(needs, "says what was added, changed and removed, and nothing of what only mounts stand on", async () => {
    const { id } = await lab.run(changing);
    const found = (await lab.containers.diff(id)).map(({ kind, path }) => `${kind} ${path}`);
    expect(found.filter((line) => !line.includes("/var"))).toEqual(changes);
    // The directory was made anew: what the image has in it is hidden.
    expect(found.filter((line) => line.includes("/var"))).toEqual([
      "changed /var",
      "removed /var/spool",
      "removed /var/tmp",
      "removed /var/www",
    ]);
    expect(await lab.containers.diff(await lab.create("true"))).toEqual([]);
  });
});

describe("export", () => {
  testWith(needs, "gives the merged files of a container, running or not", async () => {
    const id = await lab.start(`${changing}; touch /ready; sleep 1000`, {
      mounts: [{ type: "tmpfs", target: "/mnt" }],
    });
    while (!(await lab.containers.diff(id)).some(({ path }) => path === "/ready")) await Bun.sleep(5);
    const running = await members(lab.containers.export(id));
    expect(running.get("made/f")).toBe("file 640 5:6 x\n");
    expect(running.get("link")).toBe("symlink 777 0:0 /etc/passwd");
    expect(running.has("bin/vi")).toBeFalse();
    expect(running.has("var/spool")).toBeFalse();
    await lab.containers.kill(id);
    await lab.containers.wait(id);
    expect(await members(lab.containers.export(id))).toEqual(running);
  });

  testWith(needs, "of a container that is removed meanwhile says so, and gives no part for the whole", async () => {
    const { id } = await lab.run(changing);
    const archive = lab.containers.export(id)[Symbol.asyncIterator]();
    expect((await archive.next()).done).toBe(false);
    await lab.containers.remove(id);
    const rest = async () => {
      while ((await archive.next()).done !== true);
    };
    await expect(rest()).rejects.toThrow("No such container: ");
  });
});

describe("commit", () => {
  testWith(needs, "makes an image with the changes, from which a container runs", async () => {
    const { id } = await lab.run(changing, { env: ["A=1"], labels: { k: "v" } });
    const image = await lab.containers.commit(id, {
      name: "made:1",
      author: "me",
      message: "why",
      changes: ["CMD cat /made/f /etc/passwd", "ENV B=2"],
    });
    const record = lab.engine.images.get("made:1");
    expect(record.id).toBe(image);
    expect(record.config.config).toMatchObject({ Env: expect.arrayContaining(["A=1", "B=2"]), Labels: { k: "v" } });
    expect(record.config.history?.at(-1)).toMatchObject({ author: "me", comment: "why" });
    const made = await lab.containers.create({ image: "made:1", network: "none" });
    await lab.containers.start(made.id);
    await lab.containers.wait(made.id);
    const files = await members(lab.containers.export(made.id));
    expect(files.get("made/f")).toBe("file 640 5:6 x\n");
    expect(files.has("bin/vi")).toBeFalse();
    expect(files.has("var/spool")).toBeFalse();
    expect(await lab.containers.diff(made.id)).toEqual([]);
    await lab.containers.remove(made.id);
    await lab.engine.images.remove("made:1");
  });

  testWith(needs, "holds a running container meanwhile, and lets it go on", async () => {
    const id = await lab.start("sleep 1000");
    await lab.engine.images.remove(await lab.containers.commit(id));
    expect((await lab.containers.get(id)).state).toBe("running");
    await expect(lab.containers.commit(id, { changes: ["RUN x"] })).rejects.toThrow(
      "RUN is not a valid change command",
    );
  });
});

describe("archives", () => {
  testWith(needs, "go in and out of volumes and of containers that do not run", async () => {
    const volume = { type: "volume", target: "/data" } as const;
    const id = await lab.create("cat /data/x /etc/x", { mounts: [volume] });
    const tar = () => streamOf(Bun.spawnSync(["tar", "cf", "-", "-C", host, "x"]).stdout);
    writeFileSync(join(host, "x"), "put\n");
    await lab.containers.extract(id, "/data", tar());
    await lab.containers.extract(id, "/etc", tar());
    expect([...(await members(await lab.containers.archive(id, "/data"))).keys()]).toEqual(["data/", "data/x"]);
    expect((await lab.containers.stat(id, "/etc/x")).size).toBe(4);
    await lab.containers.start(id);
    await lab.containers.wait(id);
    const lines = [];
    for await (const { data } of lab.containers.logs(id)) lines.push(Buffer.from(data).toString());
    expect(lines.join("")).toBe("put\nput\n");
    await expect(lab.containers.stat(id, "/none")).rejects.toThrow(`Could not find the file /none in container ${id}`);
    await expect(lab.containers.extract(id, "/etc/x", tar())).rejects.toThrow("extraction point is not a directory");
  });

  testWith(needs, "never lead out of the container", async () => {
    const id = await lab.create("true");
    const bad = join(host, "bad");
    mkdirSync(bad, { recursive: true });
    symlinkSync("/", join(bad, "out"));
    await lab.containers.extract(id, "/tmp", streamOf(Bun.spawnSync(["tar", "cf", "-", "-C", bad, "out"]).stdout));
    const name = `gf-escape-${process.pid}`;
    writeFileSync(join(bad, name), "in");
    const through = Bun.spawnSync(["tar", "cf", "-", "-C", bad, "--transform", "s,^,tmp/out/tmp/,", name]).stdout;
    await lab.containers.extract(id, "/", streamOf(through));
    expect(statSync(`/tmp/${name}`, { throwIfNoEntry: false })).toBeUndefined();
    expect((await lab.containers.stat(id, `/tmp/${name}`)).size).toBe(2);
  });
});

describe("cp", () => {
  testWith(needs, "copies between host and container by docker's rules", async () => {
    const script = "mkdir -p /d/sub && echo one >/d/f && ln -s f /d/l && touch /ready && sleep 1000";
    await store.ok(["run", "-d", "--name", "box", "busybox", "sh", "-c", script]);
    const inBox = (...words: string[]) => store.ok(["exec", "box", ...words]);
    while ((await store.galley(["exec", "box", "test", "-e", "/ready"])).status !== 0) await Bun.sleep(5);
    const at = (name: string) => join(host, name);

    await store.ok(["cp", "box:/d", at("new")]);
    expect(readFileSync(at("new/f"), "utf8")).toBe("one\n");
    expect(readlinkSync(at("new/l"))).toBe("f");
    await store.ok(["cp", "box:/d", at("new")]);
    expect(statSync(at("new/d/sub")).isDirectory()).toBeTrue();
    await store.ok(["cp", "-L", "box:/d/l", at("followed")]);
    expect(readFileSync(at("followed"), "utf8")).toBe("one\n");

    writeFileSync(at("script"), "#!/bin/sh\necho $0");
    chmodSync(at("script"), 0o755);
    await store.ok(["cp", at("script"), "box:/usr/bin"]);
    expect(await inBox("script")).toBe("/usr/bin/script");
    await store.ok(["cp", `${at("new")}/.`, "box:/fresh"]);
    expect(await inBox("cat", "/fresh/f")).toBe("one");
    expect(await inBox("readlink", "/fresh/l")).toBe("f");
  });

  testWith(needs, "refuses what cannot be, and names it", async () => {
    await store.ok(["create", "--name", "still", "busybox"]);
    const fails = async (...words: string[]) => (await store.galley(["cp", ...words])).stderr.trim();
    expect(await fails(join(host, "none"), "still:/x")).toBe(`galley: copy ${host}/none: no such file or directory`);
    expect(await fails("still:/none", host)).toBe("galley: Could not find the file /none in container still");
    expect(await fails(host, "still:/none/x")).toBe("galley: Could not find the file /none in container still");
    expect(await fails(host, "still:/etc/passwd")).toBe("galley: copy /etc/passwd: cannot copy directory");
    expect(await fails("still:/bin", "still:/x")).toBe("galley: copying between containers is not supported");
    expect(await fails("nobody:/bin", host)).toBe("galley: No such container: nobody");
    expect(await fails("still:/bin", join(host, "no/where"))).toContain(`directory "${host}/no" does not exist`);
  });
});

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
