import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tlsMaterial } from "./certificates.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "galley-certificates-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, content: string): string {
  const file = join(home, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
  return file;
}

test("a host's own authorities are added to the system's", () => {
  const system = write("system.pem", "SYSTEM");
  write(".config/docker/certs.d/host:5000/ca.crt", "OWN");
  write(".config/containers/certs.d/host:5000/ca.crt", "ALSO");
  write(".config/docker/certs.d/host:5000/README", "no certificate");
  const env = { HOME: home, SSL_CERT_FILE: system };
  expect(tlsMaterial("host:5000", env)).toEqual({ ca: ["SYSTEM", "ALSO", "OWN"] });
  expect(tlsMaterial("host", env)).toEqual({ ca: ["SYSTEM"] });
});

test("a directory may hold the system's authorities", () => {
  write("authorities/a.pem", "A");
  write("authorities/b.pem", "B");
  expect(tlsMaterial("host", { HOME: home, SSL_CERT_DIR: join(home, "authorities") })).toEqual({ ca: ["A", "B"] });
  expect(() => tlsMaterial("host", { HOME: home, SSL_CERT_FILE: join(home, "missing") })).toThrow("ENOENT");
});

test("a client certificate comes with its key, and both are looked at", () => {
  const system = write("system.pem", "SYSTEM");
  const env = { HOME: home, SSL_CERT_FILE: system };
  const certificate = write(".config/docker/certs.d/host/client.cert", "CERT");
  expect(() => tlsMaterial("host", env)).toThrow("the key of this client certificate is missing");
  write(".config/docker/certs.d/host/client.key", "KEY");
  expect(() => tlsMaterial("host", env)).toThrow("the client certificate or its key cannot be read");
  expect(certificate).toEndWith("client.cert");
});
