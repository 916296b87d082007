import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canonicalName, parseReference } from "../reference.ts";
import { noRegistriesConf, type RegistriesConf } from "./conf.ts";
import { coveredBy, findRule, pullSources } from "./find-rule.ts";
import { loadRegistriesConf } from "./load-conf.ts";
import { parseRegistriesConf } from "./parse-conf.ts";
import { isShortName, possibleNames, resolveName } from "./short-names.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "galley-registries-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
  return join(home, path);
}
const load = (env: Record<string, string> = {}) => loadRegistriesConf({ HOME: home, ...env }, join(home, "etc"));
const conf = (text: string): RegistriesConf => ({ ...noRegistriesConf, ...parseRegistriesConf(text, "x.conf") });

describe("prefixes", () => {
  for (const [prefix, name, end] of [
    ["host", "host/a:1", 4],
    ["host", "host.example/a", -1],
    ["host", "host:5000/a", 4],
    ["host/a", "host/a", 6],
    ["host/a", "host/ab", -1],
    ["host/a", "host/a@sha256:0", 6],
    ["*.example.com", "deep.er.example.com/a", 19],
    ["*.example.com", "example.com/a", -1],
    ["*.example.com", "x.example.com:5000/a", 13],
    ["*.example.com", "host/x.example.com", -1],
    ["*.example.com", "x.example.company/a", -1],
  ] as const) {
    test(`${prefix} and ${name}`, () => expect(coveredBy(prefix, name)).toBe(end));
  }

  test("the longest one decides", () => {
    const parsed = conf(
      ["host", "host/a/b", "host/a"]
        .map((prefix) => `[[registry]]\nprefix="${prefix}"\nlocation="${prefix}"\n`)
        .join(""),
    );
    expect(findRule(parsed, "host/a/b/c")?.prefix).toBe("host/a/b");
    expect(findRule(parsed, "host/x")?.prefix).toBe("host");
    expect(findRule(parsed, "other/x")).toBeUndefined();
  });
});

describe("places to read from", () => {
  const sources = (text: string, name: string) =>
    pullSources(conf(text), parseReference(name)).map(
      ({ reference, insecure }) => canonicalName(reference) + (insecure ? " insecure" : ""),
    );
  const digest = `sha256:${"a".repeat(64)}`;

  test("are the name itself where nothing is said", () => expect(sources("", "h.io/a:1")).toEqual(["h.io/a:1"]));

  test("are mirrors, and then the place that the prefix stands for", () => {
    const text = `[[registry]]\nprefix="host.io/a"\nlocation="real:5000/deep/b"\ninsecure=true
      [[registry.mirror]]\nlocation="m1.io"\n[[registry.mirror]]\nlocation="m2.io/x"\ninsecure=true`;
    expect(sources(text, "host.io/a/c:1")).toEqual([
      "m1.io/c:1",
      "m2.io/x/c:1 insecure",
      "real:5000/deep/b/c:1 insecure",
    ]);
  });

  test("leave names alone under a wildcard without a location", () => {
    expect(sources('[[registry]]\nprefix="*.io"\ninsecure=true', "a.io/b:1")).toEqual(["a.io/b:1 insecure"]);
  });

  test("depend on whether the name is a digest", () => {
    const mirror = (location: string, pulls: string) =>
      `[[registry.mirror]]\nlocation="${location}"\npull-from-mirror="${pulls}"\n`;
    const each = `[[registry]]\nlocation="h.io"\n${mirror("d.io", "digest-only")}${mirror("t.io", "tag-only")}${mirror("a.io", "all")}`;
    expect(sources(each, "h.io/x:1")).toEqual(["t.io/x:1", "a.io/x:1", "h.io/x:1"]);
    expect(sources(each, `h.io/x@${digest}`)).toEqual([`d.io/x@${digest}`, `a.io/x@${digest}`, `h.io/x@${digest}`]);
    const all = '[[registry]]\nlocation="h.io"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation="m.io"';
    expect(sources(all, "h.io/x:1")).toEqual(["h.io/x:1"]);
    expect(sources(all, `h.io/x@${digest}`)).toHaveLength(2);
  });

  test("are refused where the registry is blocked", () => {
    expect(() => sources('[[registry]]\nlocation="h.io"\nblocked=true', "h.io/x:1")).toThrow(
      "registry h.io is blocked in x.conf",
    );
  });
});

describe("what is wrong is refused", () => {
  for (const [what, text, message] of [
    ["no TOML", "a = [", "TOML Parse error"],
    ["no place at all", "[[registry]]\ninsecure=true", "both location and prefix are unset"],
    ["a prefix without a place", '[[registry]]\nprefix="a.io"', "location is unset"],
    ["a scheme", '[[registry]]\nlocation="https://a.io"', "URI schemes are not supported"],
    ["a wildcard with a path", '[[registry]]\nprefix="*.a.io/b"', "Wildcarded prefix should be in the format"],
    [
      "a mirror without a place",
      '[[registry]]\nlocation="a"\n[[registry.mirror]]\ninsecure=true',
      "mirror location is unset",
    ],
    [
      "an unknown kind of mirror",
      '[[registry]]\nlocation="a"\nmirror=[{location="b",pull-from-mirror="x"}]',
      "unsupported pull-from-mirror",
    ],
    [
      "two settings of one place",
      '[[registry]]\nlocation="a"\n[[registry]]\nprefix="b"\nlocation="a"\nblocked=true',
      "conflicting 'blocked'",
    ],
    ["a host with a path", 'unqualified-search-registries=["a.io/b"]', "Invalid unqualified-search-registries"],
    ["an unknown mode", 'short-name-mode="maybe"', "invalid short-name mode"],
    ["an alias with a tag", '[aliases]\na="b.io/c:1"', "must not contain tag"],
    ["an alias to a short name", '[aliases]\na="b"', "must contain registry"],
    ["an alias of a full name", '[aliases]\n"a.io/b"="c.io/d"', "invalid short name"],
    ["both formats", 'short-name-mode="disabled"\n[registries.search]\nregistries=["a"]', "mixing"],
    ["a number for a text", "[[registry]]\nlocation=1", "location must be a string"],
  ] as const) {
    test(what, () => expect(() => conf(text)).toThrow(message));
  }
});

describe("files", () => {
  test("none is nothing", () => expect(load()).toEqual(noRegistriesConf));

  test("the user's takes the place of the host's, and drop-ins are added", () => {
    write("etc/registries.conf", 'unqualified-search-registries=["host.io"]');
    write("etc/registries.conf.d/1.conf", '[[registry]]\nlocation="dropped.io"\nblocked=true\n[aliases]\na="x.io/a"');
    write("etc/registries.conf.d/ignored.txt", "[[");
    expect(load()).toMatchObject({ searched: ["host.io"], rules: [{ prefix: "dropped.io" }] });
    write(
      ".config/containers/registries.conf",
      'unqualified-search-registries=["user.io"]\nshort-name-mode="enforcing"',
    );
    write(
      ".config/containers/registries.conf.d/2.conf",
      'credential-helpers=["pass"]\nunqualified-search-registries=[]',
    );
    expect(load()).toMatchObject({ searched: [], shortNames: "enforcing", rules: [], helpers: ["pass"] });
  });

  test("the one that is named is read alone, and must be there", () => {
    write("etc/registries.conf", 'unqualified-search-registries=["host.io"]');
    const named = write(
      "named.conf",
      '[registries.block]\nregistries=["bad.io"]\n[registries.search]\nregistries=["old.io"]',
    );
    expect(load({ CONTAINERS_REGISTRIES_CONF: named })).toMatchObject({
      searched: ["old.io"],
      rules: [{ prefix: "bad.io", blocked: true, insecure: false }],
    });
    expect(() => load({ CONTAINERS_REGISTRIES_CONF: join(home, "none") })).toThrow("no such file");
  });

  test("the old format is refused in a drop-in", () => {
    write("etc/registries.conf.d/1.conf", '[registries.search]\nregistries=["a"]');
    expect(() => load()).toThrow("must be in v2 format");
  });
});

describe("short names", () => {
  const env = (text: string) => ({ HOME: home, CONTAINERS_REGISTRIES_CONF: write("named.conf", text) });
  const names = (name: string, text: string, interactive = false) => {
    const { references, choose } = resolveName(name, env(text), interactive);
    return [...references.map(canonicalName), ...(choose ? ["?"] : [])];
  };

  test("are those without a registry", () => {
    expect(["a", "a/b", "a:1", "a/b@sha256:0"].filter((name) => !isShortName(name))).toEqual([]);
    expect(["a.io/b", "localhost/a", "a:1/b", "A/b"].filter(isShortName)).toEqual([]);
  });

  test("are docker.io's where nothing is said", () => {
    expect(names("own-thing", "")).toEqual(["docker.io/library/own-thing:latest"]);
  });

  test("are what an alias says, with the tag", () => {
    expect(names("thing:2", 'unqualified-search-registries=["s.io"]\n[aliases]\nthing="a.io/x/thing"')).toEqual([
      "a.io/x/thing:2",
    ]);
    expect(names("thing", '[aliases]\nthing=""')).toEqual(["docker.io/library/thing:latest"]);
  });

  test("are looked for where the file says", () => {
    const searched = 'unqualified-search-registries=["a.io","b.io"]\n';
    const both = ["a.io/thing:latest", "b.io/thing:latest"];
    expect(names("thing", searched)).toEqual(both);
    expect(names("thing", searched, true)).toEqual([...both, "?"]);
    expect(names("thing", `${searched}short-name-mode="disabled"`, true)).toEqual(both);
    expect(() => names("thing", `${searched}short-name-mode="enforcing"`)).toThrow("cannot prompt without a TTY");
    expect(names("thing", 'unqualified-search-registries=["a.io"]\nshort-name-mode="enforcing"')).toEqual([
      "a.io/thing:latest",
    ]);
  });

  test("may be any of these in the store", () => {
    const text = 'unqualified-search-registries=["a.io"]\n[aliases]\nthing="b.io/thing"';
    expect(possibleNames("thing", env(text)).map(canonicalName)).toEqual([
      "b.io/thing:latest",
      "localhost/thing",
      "a.io/thing",
    ]);
    expect(possibleNames("a.io/thing", env(text))).toEqual([]);
  });
});
