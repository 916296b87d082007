import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { HelperRunner } from "./credential-helper.ts";
import { findCredentials } from "./credentials.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "galley-logins-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const encoded = (text: string) => Buffer.from(text).toString("base64");
const login = (username: string, password: string) => ({ kind: "password" as const, username, password });

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), typeof content === "string" ? content : JSON.stringify(content));
}

const noHelper: HelperRunner = async (command) => {
  throw new Error(`unexpected ${command.join(" ")}`);
};
const find = (domain: string, path: string, env: Record<string, string> = {}, run = noHelper) =>
  findCredentials(domain, path, { HOME: home, ...env }, { run });

describe("logins written in docker's file", () => {
  test("are found by the registry's name, however it is written", async () => {
    for (const key of ["host:5000", "https://host:5000", "https://host:5000/v1/", "http://host:5000/v2/"]) {
      write(".docker/config.json", { auths: { [key]: { auth: encoded("me:pass:word") } } });
      expect(await find("host:5000", "a/b")).toEqual(login("me", "pass:word"));
    }
    expect(await find("other:5000", "a/b")).toBeUndefined();
    expect(await find("host:50001", "a/b")).toBeUndefined();
  });

  test("are found for Docker Hub under its old name", async () => {
    for (const key of ["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"]) {
      write(".docker/config.json", { auths: { [key]: { username: "me", password: "secret" } } });
      expect(await find("docker.io", "library/busybox")).toEqual(login("me", "secret"));
    }
  });

  test("may be for a part of a registry; the longest key wins", async () => {
    write(".docker/config.json", {
      auths: { "host/team": { auth: encoded("team:1") }, host: { auth: encoded("all:2") }, "host/team/x": {} },
    });
    expect(await find("host", "team/x")).toEqual(login("team", "1"));
    expect(await find("host", "teams")).toEqual(login("all", "2"));
  });

  test("may be an identity token, and empty ones do not count", async () => {
    write(".docker/config.json", { auths: { host: { auth: encoded("me:x"), identitytoken: "token" } } });
    expect(await find("host", "a")).toEqual({ kind: "identity", token: "token" });
    write(".docker/config.json", { auths: { host: {} } });
    expect(await find("host", "a")).toBeUndefined();
    write(".docker/config.json", "");
    expect(await find("host", "a")).toBeUndefined();
  });

  test("that are damaged are told with the file's name", async () => {
    write(".docker/config.json", "{");
    await expect(find("host", "a")).rejects.toThrow("not valid JSON");
    write(".docker/config.json", { auths: { host: { auth: encoded("no colon") } } });
    await expect(find("host", "a")).rejects.toThrow("base64 of name:password");
  });
});

test("files are asked in their order, and REGISTRY_AUTH_FILE alone if it is set", async () => {
  write(".config/containers/auth.json", { auths: { host: { auth: encoded("c:1") } } });
  expect(await find("host", "a")).toEqual(login("c", "1"));
  write("run/containers/auth.json", { auths: { host: { auth: encoded("r:2") } } });
  expect(await find("host", "a", { XDG_RUNTIME_DIR: join(home, "run") })).toEqual(login("r", "2"));
  write("elsewhere/config.json", { auths: { host: { auth: encoded("d:3") } } });
  expect(await find("host", "a", { DOCKER_CONFIG: join(home, "elsewhere") })).toEqual(login("d", "3"));
  write("only.json", { auths: {} });
  expect(await find("host", "a", { REGISTRY_AUTH_FILE: join(home, "only.json") })).toBeUndefined();
});

describe("credential helpers", () => {
  const helper = (status: number, output: string, calls: string[] = []): HelperRunner => {
    return async (command, input) => {
      calls.push(`${command.join(" ")} < ${input}`);
      return { status, output };
    };
  };

  test("are asked with the registry's key", async () => {
    const calls: string[] = [];
    write(".docker/config.json", { credHelpers: { host: "own" }, credsStore: "all" });
    const run = helper(0, '{"ServerURL":"host","Username":"me","Secret":"s"}\n', calls);
    expect(await find("host", "a", {}, run)).toEqual(login("me", "s"));
    expect(await find("docker.io", "library/a", {}, run)).toEqual(login("me", "s"));
    expect(calls).toEqual([
      "docker-credential-own get < host",
      "docker-credential-all get < https://index.docker.io/v1/",
    ]);
  });

  test("may give an identity token or nothing", async () => {
    write(".docker/config.json", { credsStore: "all" });
    const token = helper(0, '{"Username":"<token>","Secret":"t"}');
    expect(await find("host", "a", {}, token)).toEqual({ kind: "identity", token: "t" });
    const nothing = helper(1, "credentials not found in native keychain\n");
    expect(await find("host", "a", {}, nothing)).toBeUndefined();
  });

  test("that fail are told by name", async () => {
    write(".docker/config.json", { credsStore: "all" });
    await expect(find("host", "a", {}, helper(2, "the keychain is locked"))).rejects.toThrow("the keychain is locked");
    await expect(find("host", "a", {}, helper(0, "no json"))).rejects.toThrow("not JSON");
    write(".docker/config.json", { credsStore: "../../evil" });
    await expect(find("host", "a", {}, helper(0, "{}"))).rejects.toThrow("must not be a path");
  });

  test("are programs of the PATH", async () => {
    write(".docker/config.json", { credsStore: "galley-test-is-missing" });
    await expect(findCredentials("host", "a", { HOME: home })).rejects.toThrow("not found in PATH");
  });
});
