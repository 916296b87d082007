/** Flags by which every command that talks to a registry is told how: logins, certificates, patience, its name. The same tests for all of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultsServer, startFaultsServer } from "../harness/faults-server.ts";
import { freePort } from "../harness/free-port.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { type GpgHome, makeGpgHome } from "../harness/gpg.ts";
import { buildImage, document } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";

const needs = { root: true, commands: ["docker-registry", "gpg"] };
const reason = missing(needs);
const testHere = (name: string, body: () => Promise<void>) =>
  reason === undefined ? test(name, body, 30_000) : test.skip(`${name} (${reason})`, body);

const auth = { user: "someone", password: "pass:word" };
const creds = `${auth.user}:${auth.password}`;
const image = buildImage({ layers: [{ entries: [file("a", "x".repeat(5000))] }] });
const notes = document("text/plain", "notes");
const config = document("application/vnd.oci.empty.v1+json", {});
const artifact = {
  ...document("application/vnd.oci.image.manifest.v1+json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "text/notes",
    config: config.descriptor,
    layers: [{ ...notes.descriptor, annotations: { "org.opencontainers.image.title": "notes" } }],
  }),
  blobs: [config, notes],
  manifests: [],
};

/** Speaks TLS and asks for a login. */
let locked: Registry;
let plain: Registry;
/** In front of the plain one. */
let watched: FaultsServer;
let store: Store;
let key: GpgHome;
let directory: string;
let authfile: string;
let certificates: string;
beforeAll(async () => {
  if (reason !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), "galley-reach-"));
  key = makeGpgHome(directory, "signer");
  [locked, plain] = await Promise.all([startRegistry({ auth, tls: true }), startRegistry()]);
  watched = await startFaultsServer(plain.url);
  for (const registry of [locked, plain]) {
    await registry.push("team/app", "1", image);
    await registry.push("team/notes", "1", artifact);
  }
  authfile = join(directory, "auth.json");
  const login = { auth: Buffer.from(creds).toString("base64") };
  writeFileSync(authfile, JSON.stringify({ auths: { [locked.host]: login } }));
  certificates = join(directory, "certificates");
  mkdirSync(certificates);
  copyFileSync(locked.authority ?? "", join(certificates, "ca.crt"));
  store = createStore();
  await store.ok(["copy", "-q", `docker://${plain.host}/team/app:1`, "containers-storage:app:1"]);
  writeFileSync(join(directory, "file"), "content");
  for (const host of [locked.host, watched.host]) {
    await store.ok(["artifact", "add", `${host}/pushed/notes:1`, join(directory, "file")]);
  }
  await store.ok(["manifest", "create", "list:1", "app:1"]);
  await store.ok(["manifest", "create", "growing:1"]);
});
afterAll(async () => {
  if (reason !== undefined) return;
  await watched.stop();
  await Promise.all([locked.stop(), plain.stop()]);
  key.stop();
  expect(await store.cleanup()).toEqual({ processes: [], mounts: [] });
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);

/** A command's words in front of its flags, and behind them, where the registry is at `host`. */
interface Command {
  readonly words: string;
  readonly rest: (host: string) => readonly string[];
}

const commands = {
  pull: { words: "pull -q", rest: (host) => [`${host}/team/app:1`] },
  push: { words: "push -q", rest: (host) => ["app:1", `docker://${host}/pushed/app:${++count}`] },
  create: { words: "manifest create", rest: (host) => [`created:${++count}`, `docker://${host}/team/app:1`] },
  add: { words: "manifest add", rest: (host) => ["growing:1", `docker://${host}/team/app:1`] },
  show: { words: "manifest inspect", rest: (host) => [`${host}/team/app:1`] },
  pushList: { words: "manifest push -q", rest: (host) => ["list:1", `docker://${host}/pushed/list:${++count}`] },
  pullArtifact: { words: "artifact pull -q", rest: (host) => [`${host}/team/notes:1`] },
  pushArtifact: { words: "artifact push -q", rest: (host) => [`${host}/pushed/notes:1`] },
  search: { words: "search", rest: (host) => [`${host}/app`] },
  sign: {
    words: "image sign",
    rest: (host) => ["--sign-by", key.fingerprint, "-d", fresh("signatures"), `docker://${host}/team/app:1`],
  },
  copy: { words: "copy -q", rest: (host) => [`docker://${host}/team/app:1`, `dir:${fresh("copied")}`] },
  sync: { words: "sync -s docker -d dir", rest: (host) => [`${host}/team/app:1`, fresh("synced")] },
  tags: { words: "list-tags", rest: (host) => [`docker://${host}/team/app`] },
  inspect: { words: "inspect -n", rest: (host) => [`docker://${host}/team/app:1`] },
  remove: { words: "delete", rest: (host) => [`docker://${host}/gone/app:1`] },
} as const satisfies Readonly<Record<string, Command>>;

/** Those of podman, and what signs: the others' logins are in skopeo-flags.test.ts. */
const { copy, sync, tags, inspect, remove, ...accessed } = commands;

function run({ words, rest }: Command, host: string, ...flags: readonly string[]) {
  return store.galley([...words.split(" "), ...flags, ...rest(host)], { env: key.env });
}

async function ok(command: Command, host: string, ...flags: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(command, host, ...flags);
  expect({ flags, status, stderr }).toEqual({ flags, status: 0, stderr: "" });
  return stdout;
}

async function refused(says: string, command: Command, host: string, ...flags: readonly string[]): Promise<void> {
  const { status, stderr } = await run(command, host, ...flags);
  expect({ flags, failed: status > 0, told: stderr.includes(says) ? says : stderr }).toEqual({
    flags,
    failed: true,
    told: says,
  });
}

describe("a registry that asks for a login, by TLS, is reached by", () => {
  for (const [name, command] of Object.entries<Command>(accessed)) {
    testHere(`${command.words}: --cert-dir, --tls-verify, --creds, --authfile`, async () => {
      await refused("certificate", command, locked.host);
      await refused("access denied", command, locked.host, "--cert-dir", certificates);
      await ok(command, locked.host, "--cert-dir", certificates, "--creds", creds);
      await ok(command, locked.host, "--tls-verify=false", "--authfile", authfile);
    });
    if (name !== "push" && name !== "sign") continue;
    testHere(`${command.words}: --username, --password, --no-creds, --registry-token`, async () => {
      const trusting = ["--cert-dir", certificates];
      await ok(command, locked.host, ...trusting, "--username", auth.user, "--password", auth.password);
      await refused("access denied", command, locked.host, ...trusting, "--authfile", authfile, "--no-creds");
      await ok(command, watched.host, "--registry-token", `of-${name}`);
      expect(watched.requests.map(({ headers }) => headers.get("authorization"))).toContain(`Bearer of-${name}`);
    });
  }
});

describe("what may pass is tried again, as often and as soon as is said, and under the name that is said", () => {
  /** Longer than the tests may take, if each wait were twice the one before. */
  const FAILURES = 9;
  const failing: readonly (readonly [Command, string, { readonly path: string; readonly method?: string }])[] = [
    [commands.push, "--retry-times", { method: "PUT", path: "/manifests/" }],
    [commands.push, "--retry", { method: "PUT", path: "/manifests/" }],
    [commands.pull, "--retry", { path: "/manifests/" }],
    [commands.pullArtifact, "--retry", { path: "/manifests/" }],
    [commands.pushArtifact, "--retry", { method: "PUT", path: "/manifests/" }],
    [copy, "--retry-times", { path: "/manifests/" }],
    [sync, "--retry-times", { path: "/manifests/" }],
    [tags, "--retry-times", { path: "/tags/list" }],
    [inspect, "--retry-times", { path: "/manifests/" }],
    [remove, "--retry-times", { method: "DELETE", path: "/manifests/" }],
  ];
  for (const [command, flag, where] of failing) {
    const prefix = flag === "--retry" ? [] : ["--user-agent-prefix", "mine/1"];
    testHere(`${[command.words, flag, "--retry-delay", ...prefix].join(" ")}`, async () => {
      await plain.push("gone/app", "1", image);
      watched.inject({ ...where, times: FAILURES, act: { status: 503 } });
      const before = watched.requests.length;
      const patience = [flag, String(FAILURES), "--retry-delay", "2ms"];
      const { status, stderr } = await run(command, watched.host, ...patience, ...prefix);
      watched.heal();
      expect(status, stderr).toBe(0);
      const names = watched.requests.slice(before).map(({ headers }) => headers.get("user-agent"));
      expect(new Set(names)).toEqual(new Set([prefix.length === 0 ? "galley" : "mine/1 galley"]));
    });
  }

  testHere("but no oftener", async () => {
    watched.inject({ path: "/tags/list", act: { status: 503 } });
    for (const times of [0, 3]) {
      const before = watched.requests.length;
      await refused("503", tags, watched.host, "--retry-times", String(times), "--retry-delay", "2ms");
      const asked = watched.requests.slice(before).filter(({ path }) => path.includes("/tags/list"));
      expect(asked).toHaveLength(times + 1);
    }
    watched.heal();
  });

  testHere("and a registry that is not up yet is waited for", async () => {
    const port = freePort();
    const name = `docker://127.0.0.1:${port}/team/app`;
    expect((await store.galley(["list-tags", name])).stderr).toContain("nothing answers there");
    const waiting = store.galley(["list-tags", "--retry-times", "1000", "--retry-delay", "20ms", name]);
    await Bun.sleep(300);
    const late = Bun.serve({ port, hostname: "127.0.0.1", fetch: () => Response.json({ name: "a", tags: ["late"] }) });
    expect((await waiting).stdout).toContain("late");
    await late.stop(true);
  });
});

describe("registries.conf of --registries-conf is followed by", () => {
  for (const command of [commands.push, remove]) {
    testHere(`${command.words}: what is blocked is not reached`, async () => {
      const conf = fresh("registries.conf");
      writeFileSync(conf, `[[registry]]\nlocation = "${watched.host}"\nblocked = true\n`);
      const before = watched.requests.length;
      await refused("is blocked", command, watched.host, "--registries-conf", conf);
      expect(watched.requests).toHaveLength(before);
    });
  }
});

testHere("push --command-timeout: what takes too long is ended", async () => {
  watched.inject({ path: "/blobs/", act: { hang: true } });
  await refused("the time is over", commands.push, watched.host, "--command-timeout", "300ms");
  watched.heal();
});
