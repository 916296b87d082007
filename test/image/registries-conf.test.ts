/** registries.conf, with two registries and the same files given to skopeo. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, galleyProgram, type Store } from "../harness/galley.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { TerminalSession } from "../harness/session.ts";
import { file } from "../harness/tar.ts";

// A machine that does much else at the same time takes longer than the five seconds that are the default.
setDefaultTimeout(60_000);

const image = (text: string) => buildImage({ layers: [{ entries: [file("a", text)] }], config: { Labels: { text } } });

let main: Registry;
let mirror: Registry;
let secure: Registry;
let store: Store;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-registries-"));
  [main, mirror, secure] = await Promise.all([startRegistry(), startRegistry(), startRegistry({ tls: true })]);
  await main.push("team/app", "1", image("main"));
  await main.push("team/only", "1", image("only in main"));
  await mirror.push("copies/app", "1", image("mirror"));
  await secure.push("team/app", "1", image("secure"));
  store = createStore();
});
afterAll(async () => {
  await Promise.all([main?.stop(), mirror?.stop(), secure?.stop()]);
  await store?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
function conf(text: string): string {
  const path = join(directory, `${++count}.conf`);
  writeFileSync(path, text);
  return path;
}

/** What an inspection finds in the label, by Galley; or its failure. */
async function label(path: string, name: string, more: readonly string[] = []): Promise<string> {
  const flags = ["--registries-conf", path, "--no-tags", "-f", "{{.Labels.text}}", ...more];
  const { stdout, stderr } = await store.galley(["inspect", ...flags, `docker://${name}`]);
  return `${stdout}${stderr}`.trim();
}

/** The same by skopeo. */
function skopeoLabel(path: string, name: string): string {
  const flags = ["--insecure-policy", "--registries-conf", path, "inspect", "-n", "-f", "{{.Labels.text}}"];
  const { stdout, stderr } = Bun.spawnSync(["skopeo", ...flags, `docker://${name}`]);
  return `${stdout}${stderr}`.trim();
}

const rule = (prefix: string, location: string, more = "") =>
  `[[registry]]\nprefix="${prefix}"\nlocation="${location}"\ninsecure=true\n${more}`;
const mirrored = (location: string, more = "") =>
  `[[registry.mirror]]\nlocation="${location}"\ninsecure=true\n${more}\n`;
const needs = { commands: ["skopeo", "docker-registry"] };

describe("Galley reads where skopeo reads", () => {
  const cases = (): readonly (readonly [string, string, string, string])[] => [
    ["a name is rewritten", rule("far.example/x", `${main.host}/team`), "far.example/x/app:1", "main"],
    [
      "a mirror comes first",
      rule("far.example", main.host, mirrored(`${mirror.host}/copies`)),
      "far.example/app:1",
      "mirror",
    ],
    [
      "what the mirror lacks",
      rule("far.example", `${main.host}/team`, mirrored(mirror.host)),
      "far.example/only:1",
      "only in main",
    ],
    [
      "a mirror for digests",
      rule("far.example", `${main.host}/team`, mirrored(`${mirror.host}/copies`, 'pull-from-mirror="digest-only"')),
      "far.example/app:1",
      "main",
    ],
    [
      "a mirror that is down",
      rule("far.example", `${main.host}/team`, mirrored("127.0.0.1:1")),
      "far.example/app:1",
      "main",
    ],
    ["an insecure registry", rule(secure.host, secure.host), `${secure.host}/team/app:1`, "secure"],
  ];
  testWith(needs, "rewriting, mirrors, insecure", async () => {
    for (const [what, text, name, expected] of cases()) {
      const path = conf(text);
      expect([what, skopeoLabel(path, name)]).toEqual([what, expected]);
      expect([what, await label(path, name)]).toEqual([what, expected]);
    }
  });

  testWith(needs, "a blocked registry is refused, for reading and for writing", async () => {
    const path = conf(`[[registry]]\nlocation="${main.host}"\nblocked=true`);
    const name = `${main.host}/team/app:1`;
    expect(skopeoLabel(path, name)).toContain(`registry ${main.host} is blocked in`);
    expect(await label(path, name)).toContain(`registry ${main.host} is blocked in ${path}`);
    const from = `docker://${mirror.host}/copies/app:1`;
    const { status, stderr } = await store.galley([
      "copy",
      "--registries-conf",
      path,
      from,
      `docker://${main.host}/new:1`,
    ]);
    expect({ status, told: stderr.includes("is blocked in") }).toEqual({ status: 1, told: true });
    const tags = await store.galley(["list-tags", "--registries-conf", path, `docker://${main.host}/team/app`]);
    expect(tags.stderr).toContain("is blocked in");
  });
});

test("without a rule the certificate of an unknown authority is refused, and a flag is stronger than the file", async () => {
  const name = `${secure.host}/team/app:1`;
  expect(await label(conf(""), name)).toContain("certificate");
  expect(await label(conf(rule(secure.host, secure.host)), name, ["--tls-verify=true"])).toContain("certificate");
});

test("a login given for one command is not told to a mirror", async () => {
  const locked = await startRegistry({ auth: { user: "me", password: "secret" } });
  try {
    const text = rule(main.host, main.host, mirrored(locked.host));
    // The mirror asks for a login, gets none, and the image comes from the place itself.
    expect(await label(conf(text), `${main.host}/team/app:1`, ["--creds", "me:secret"])).toBe("main");
    expect(locked.log()).not.toContain("secret");
  } finally {
    await locked.stop();
  }
});

test("all failures are told where no place has the image", async () => {
  const said = await label(conf(rule("far.example", `${main.host}/team`, mirrored(mirror.host))), "far.example/none:1");
  expect(said).toContain("Mirrors also failed: [");
  expect(said).toContain(`${mirror.host}/none:1`);
});

test("copies and sync read by the same rules", async () => {
  const path = conf(rule("far.example", `${main.host}/team`, mirrored(`${mirror.host}/copies`)));
  const at = join(directory, "copied");
  await store.ok(["copy", "-q", "--registries-conf", path, "docker://far.example/app:1", `dir:${at}`]);
  expect(await store.ok(["inspect", "-f", "{{.Labels.text}}", `dir:${at}`])).toBe("mirror");
  await store.ok(["sync", "--registries-conf", path, "-s", "docker", "-d", "dir", "far.example/app:1", directory]);
  expect(await store.ok(["inspect", "-f", "{{.Labels.text}}", `dir:${join(directory, "app:1")}`])).toBe("mirror");
});

describe("short names", () => {
  const run = (text: string, args: readonly string[]) =>
    store.galley(args, { env: { CONTAINERS_REGISTRIES_CONF: conf(text) } });
  testWith({ root: true }, "are pulled, run, tagged and removed as what an alias says", async () => {
    const text = `[aliases]\n"galley-thing"="${main.host}/team/app"`;
    const pulled = await run(text, ["pull", "galley-thing:1"]);
    expect(pulled.stderr).toContain('Resolved "galley-thing" as an alias');
    expect(pulled.stdout).toContain(`\n${main.host}/team/app:1\n`);
    expect((await run(text, ["image", "inspect", "-f", "{{.RepoTags}}", "galley-thing:1"])).stdout).toBe(
      `[${main.host}/team/app:1]\n`,
    );
    expect((await run("", ["image", "inspect", "galley-thing:1"])).status).toBe(1);
    expect((await run(text, ["create", "--name", "aliased", "galley-thing:1", "true"])).status).toBe(0);
    await store.ok(["rm", "aliased"]);
    expect((await run(text, ["rmi", "galley-thing:1"])).stdout).toContain(`Untagged: ${main.host}/team/app:1\n`);
  });

  testWith({ root: true }, "are looked for in one registry after the other", async () => {
    const text = `unqualified-search-registries=["${mirror.host}","${main.host}"]`;
    const pulled = await run(text, ["pull", "team/app:1"]);
    expect(pulled.stdout).toContain(`\n${main.host}/team/app:1\n`);
    const { status, stderr } = await run(text, ["pull", "team/none:1"]);
    expect({ status, told: stderr.includes("2 errors occurred while pulling") }).toEqual({ status: 1, told: true });
    const strict = await run(`${text}\nshort-name-mode="enforcing"`, ["pull", "team/app:1"]);
    expect(strict.stderr).toContain("short-name resolution enforced but cannot prompt without a TTY");
  });

  testWith({ root: true, commands: ["unshare"] }, "are asked for on a terminal, once: the choice is kept", async () => {
    const hosts = `["${mirror.host}","${main.host}"]`;
    const path = conf(`unqualified-search-registries=${hosts}\nshort-name-mode="enforcing"`);
    const cache = join(directory, "cache");
    mkdirSync(cache);
    // Choices of root are kept for the whole machine: this one sees a directory of its own there.
    const script = 'mount --bind "$0" /var/cache && exec "$@"';
    const command = ["unshare", "-m", "sh", "-c", script, cache, galleyProgram(), "pull", "team/app:1"];
    const env = {
      ...{ PATH: process.env.PATH, HOME: store.home, TERM: "xterm" },
      ...{ GALLEY_ROOT: store.root, GALLEY_RUNROOT: store.runroot, CONTAINERS_REGISTRIES_CONF: path },
    };
    const pull = () => new TerminalSession(command, { cwd: store.home, env });
    const refused = pull();
    await refused.waitFor("Please select an image: ");
    refused.write("7\r");
    expect(await refused.ended()).toBe(1);
    expect(refused.stdout).toContain("none of them was chosen");
    const asked = pull();
    await asked.waitFor("Please select an image: ");
    expect(asked.stdout).toContain(`1: ${mirror.host}/team/app:1\r\n  2: ${main.host}/team/app:1\r\n`);
    asked.write("2\r");
    expect(await asked.ended()).toBe(0);
    expect(await store.ok(["image", "inspect", "-f", "{{.Config.Labels.text}}", `${main.host}/team/app:1`])).toBe(
      "main",
    );
    const kept = readFileSync(join(cache, "containers/short-name-aliases.conf"), "utf8");
    expect(kept).toBe(`[aliases]\n  "team/app" = "${main.host}/team/app"\n`);
    const again = pull();
    expect(await again.ended()).toBe(0);
    expect(again.stdout).not.toContain("Please select");
    expect(again.stdout).toContain('Resolved "team/app" as an alias');
    await store.ok(["rmi", `${main.host}/team/app:1`]);
  });
});

describe("credential helpers", () => {
  test("are asked in the order of the file, with the login files at the place that it gives them", async () => {
    const guarded = await startRegistry({ auth: { user: "me", password: "right" } });
    const bin = join(directory, "bin");
    mkdirSync(bin);
    const helper = (name: string, password: string) => {
      const answer = JSON.stringify({ ServerURL: guarded.host, Username: "me", Secret: password });
      const script = `#!/bin/sh\necho "${name} $1 $(cat)" >>${directory}/asked\n`;
      const absent = "echo 'credentials not found in native keychain'; exit 1\n";
      writeFileSync(
        join(bin, `docker-credential-${name}`),
        `${script}${password === "" ? absent : `echo '${answer}'\n`}`,
        {
          mode: 0o755,
        },
      );
    };
    helper("empty", "");
    helper("wrong", "wrong");
    helper("right", "right");
    const login = Buffer.from("me:right").toString("base64");
    mkdirSync(join(store.home, ".docker"), { recursive: true });
    const logins = join(store.home, ".docker/config.json");
    writeFileSync(logins, JSON.stringify({ auths: { [guarded.host]: { auth: login } } }));
    await guarded.push("team/app", "1", image("guarded"));
    const ask = async (...helpers: readonly string[]) => {
      rmSync(join(directory, "asked"), { force: true });
      const path = conf(`credential-helpers=${JSON.stringify(helpers)}`);
      const words = [
        "inspect",
        "--registries-conf",
        path,
        "-n",
        "-f",
        "{{.Labels.text}}",
        `docker://${guarded.host}/team/app:1`,
      ];
      const { status, stdout } = await store.galley(words, { env: { PATH: `${bin}:${process.env.PATH}` } });
      const asked = existsSync(join(directory, "asked")) ? readFileSync(join(directory, "asked"), "utf8") : "";
      return [status, stdout.trim(), [...new Set(asked.trim().split("\n").filter(Boolean))].join(", ")];
    };
    const [empty, right] = [`empty get ${guarded.host}`, `right get ${guarded.host}`];
    try {
      expect(await ask("empty", "right")).toEqual([0, "guarded", `${empty}, ${right}`]);
      expect(await ask("empty", "containers-auth.json", "wrong")).toEqual([0, "guarded", empty]);
      expect((await ask("wrong", "right")).slice(0, 2)).toEqual([1, ""]);
      rmSync(logins);
      expect((await ask("empty", "containers-auth.json"))[0]).toBe(1);
      expect(await ask("containers-auth.json", "right")).toEqual([0, "guarded", right]);
    } finally {
      rmSync(logins, { force: true });
      await guarded.stop();
    }
  });
});
