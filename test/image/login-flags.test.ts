/** Flags of login and logout: where logins are kept, and how the registry is reached that is asked about them. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Store } from "../harness/galley.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";

const needs = { commands: ["docker-registry"] };
const auth = { user: "someone", password: "pass:word" };
const encoded = Buffer.from(`${auth.user}:${auth.password}`).toString("base64");

let locked: Registry;
let store: Store;
let directory: string;
let certificates: string;
beforeAll(async () => {
  if (missing(needs) !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), "galley-login-"));
  locked = await startRegistry({ auth, tls: true });
  certificates = join(directory, "certificates");
  mkdirSync(certificates);
  copyFileSync(locked.authority ?? "", join(certificates, "ca.crt"));
  store = createStore();
});
afterAll(async () => {
  await locked?.stop();
  await store?.cleanup();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (name: string) => join(directory, `${++count}-${name}`);
const logins = (path: string): unknown => JSON.parse(readFileSync(path, "utf8")).auths;
const login = (...flags: readonly string[]) =>
  store.galley(["login", "-u", auth.user, "--password-stdin", ...flags, locked.host], { stdin: auth.password });

describe("login", () => {
  testWith(needs, "--cert-dir, --tls-verify: how the registry is reached that judges it", async () => {
    const path = fresh("auth.json");
    const trusted = ["--cert-dir", certificates];
    expect(await login("--authfile", path)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("certificate"),
    });
    expect(existsSync(path)).toBe(false);
    for (const how of [trusted, ["--tls-verify=false"]]) {
      const { status, stdout } = await login("--authfile", path, ...how);
      expect([status, stdout]).toEqual([0, "Login Succeeded\n"]);
      expect(logins(path)).toEqual({ [locked.host]: { auth: encoded } });
      rmSync(path);
    }
    const wrong = ["login", "-u", auth.user, "--password-stdin", "--authfile", path, ...trusted, locked.host];
    const { status, stderr } = await store.galley(wrong, { stdin: "wrong" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("invalid username/password")]);
    expect(existsSync(path)).toBe(false);
  });

  testWith(needs, "--compat-auth-file, --verbose: in that file alone, which is told of", async () => {
    for (const verbose of ["-v", "--verbose"]) {
      const path = fresh("config.json");
      writeFileSync(path, JSON.stringify({ HttpHeaders: { a: "b" } }));
      const { status, stdout } = await login("--compat-auth-file", path, "--tls-verify=false", verbose);
      expect([status, stdout]).toEqual([0, `Used:  ${path}\nLogin Succeeded\n`]);
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
        HttpHeaders: { a: "b" },
        auths: { [locked.host]: { auth: encoded } },
      });
    }
    expect(existsSync(join(store.home, ".docker"))).toBe(false);
    const { status, stderr } = await login("--compat-auth-file", fresh("a"), "--authfile", fresh("b"));
    expect([status, stderr]).toEqual([1, expect.stringContaining("can not be set simultaneously")]);
  });
});

describe("logout", () => {
  const full = (path: string) => {
    writeFileSync(
      path,
      JSON.stringify({ kept: 1, auths: { [locked.host]: { auth: "x" }, "other.example": { auth: "y" } } }),
    );
    return path;
  };

  testWith(needs, "--authfile, --compat-auth-file, --tls-verify: of one registry, in that file", async () => {
    for (const flag of ["--authfile", "--compat-auth-file"]) {
      const path = full(fresh("auth.json"));
      const said = await store.ok(["logout", flag, path, "--tls-verify=false", locked.host]);
      expect(said).toBe(`Removing login credentials for ${locked.host}`);
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ kept: 1, auths: { "other.example": { auth: "y" } } });
      expect(await store.ok(["logout", flag, path, locked.host])).toBe(`Not logged in to ${locked.host}`);
    }
    const both = ["logout", "--compat-auth-file", fresh("a"), "--authfile", fresh("b"), locked.host];
    expect((await store.galley(both)).stderr).toContain("can not be set simultaneously");
  });

  testWith(needs, "--all, -a: of all registries", async () => {
    for (const flag of ["--all", "-a"]) {
      const path = full(fresh("auth.json"));
      expect((await store.galley(["logout", flag, "--authfile", path, locked.host])).status).toBe(1);
      expect(await store.ok(["logout", flag, "--authfile", path])).toBe("Removed login credentials for all registries");
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ kept: 1, auths: {} });
    }
  });
});
