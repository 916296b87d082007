/** --tls-details: a file of containers-tls-details.yaml(5), against servers that speak one version, one suite's kind or one group alone. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { makeCertificates } from "../harness/certificates.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file, tar } from "../harness/tar.ts";

let store: Store;
let directory: string;
const servers: Server[] = [];
/** The suites of connections, newest last. */
const spoken: string[] = [];
let [old, anything, p521] = ["", "", ""];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-tls-"));
  store = createStore();
  const { certificate, key } = makeCertificates(directory);
  const text = JSON.stringify({ name: "a", tags: ["1"] });
  const answer = [
    "HTTP/1.1 200 OK",
    "content-type: application/json",
    `content-length: ${text.length}`,
    "connection: close",
  ];
  const serve = async (options: TlsOptions) => {
    const pems = { cert: readFileSync(certificate), key: readFileSync(key) };
    const server = createServer({ ...pems, ...options }, (socket) => {
      spoken.push(socket.getCipher().name);
      socket.on("error", () => socket.destroy());
      socket.once("data", () => socket.end([...answer, "", text].join("\r\n")));
    });
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  old = await serve({ maxVersion: "TLSv1.2" });
  anything = await serve({});
  p521 = await serve({ ecdhCurve: "P-521" });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await store?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

let count = 0;
function details(yaml: string): string {
  const path = join(directory, `${++count}.yaml`);
  writeFileSync(path, yaml);
  return path;
}

const needs = { commands: ["openssl"] };
/** By TLS in any case, so that a failed handshake is told as one. */
const reached = () => ["--tls-verify", "--cert-dir", directory];
const FAILED = "the TLS handshake failed";

/** What became of a connection to the server with these details. */
async function outcome(host: string, yaml: string): Promise<string> {
  const words = ["list-tags", ...reached(), "--tls-details", details(yaml), `docker://${host}/a`];
  const { status, stderr } = await store.galley(words);
  if (status === 0) return spoken.at(-1) ?? "";
  return stderr.includes(FAILED) ? FAILED : stderr;
}

describe("--tls-details", () => {
  testWith(needs, "minVersion: an older server is not spoken to", async () => {
    expect(await outcome(old, 'minVersion: "1.3"')).toBe(FAILED);
    expect(await outcome(old, 'minVersion: "1.2"')).toContain("ECDHE-ECDSA");
    expect(await outcome(anything, "minVersion: 1.3")).toStartWith("TLS_");
  });

  testWith(needs, "cipherSuites: one of these, or none", async () => {
    const suites = (...names: readonly string[]) => JSON.stringify({ cipherSuites: names });
    const one = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    expect(await outcome(old, suites(one))).toBe("ECDHE-ECDSA-AES256-GCM-SHA384");
    expect(await outcome(old, suites("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"))).toBe(FAILED);
    expect(await outcome(old, suites("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", one))).toBe(
      "ECDHE-ECDSA-AES256-GCM-SHA384",
    );
    expect(await outcome(old, suites())).toBe(FAILED);
    // As with Go, those of TLS 1.3 are not to be chosen from.
    expect(await outcome(anything, suites())).toStartWith("TLS_");
  });

  testWith(needs, "namedGroups: one of these", async () => {
    const groups = (...names: readonly string[]) => JSON.stringify({ namedGroups: names });
    expect(await outcome(p521, groups("secp256r1", "x25519"))).toBe(FAILED);
    expect(await outcome(p521, groups("secp256r1", "secp521r1"))).toStartWith("TLS_");
    for (const name of ["secp256r1", "secp384r1", "x25519", "X25519MLKEM768"]) {
      expect(await outcome(anything, groups(name))).toStartWith("TLS_");
    }
  });

  testWith(needs, "is read in front of everything, and refused with what is wrong", async () => {
    const path = details("maxVersion: 1");
    const copy = ["copy", "--tls-details", path, `dir:${directory}/no`, `dir:${directory}/where`];
    const { status, stderr } = await store.galley(copy);
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${path}: field maxVersion is not known`)]);
  });

  beforeAll(async () => {
    if (missing({ root: true }) === undefined)
      await store.ok(["import", "-", "made:1"], { stdin: tar([file("a", "a")]) });
  });
  const place = () => `docker://${old}/a:1`;
  const synced = ["sync", "-s", "docker", "-d", "dir", "--src-tls-verify"];
  for (const [name, words] of [
    ["copy", () => ["copy", "-q", "--src-tls-verify", "--src-cert-dir", directory, place(), `dir:${directory}/copied`]],
    ["sync", () => [...synced, "--src-cert-dir", directory, `${old}/a:1`, join(directory, "synced")]],
    ["inspect", () => ["inspect", ...reached(), place()]],
    ["delete", () => ["delete", ...reached(), place()]],
    ["push", () => ["push", "-q", ...reached(), "made:1", `docker://${old}/pushed:1`]],
  ] as const) {
    testWith({ ...needs, root: true }, `is followed by ${name}`, async () => {
      const [command = "", ...rest] = words();
      const { status, stderr } = await store.galley([command, "--tls-details", details('minVersion: "1.3"'), ...rest]);
      expect({ failed: status > 0, told: stderr.includes(FAILED) ? FAILED : stderr }).toEqual({
        failed: true,
        told: FAILED,
      });
    });
  }
});
