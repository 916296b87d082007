import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GalleyError } from "../../src/errors.ts";
import { parseReference } from "../../src/image/reference.ts";
import { RegistryTransport } from "../../src/image/transports/registry/registry.ts";
import { runTransportSuite } from "../../src/image/transports/transport-suite.ts";
import { type FaultsServer, startFaultsServer } from "../harness/faults-server.ts";
import { freePort } from "../harness/free-port.ts";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file } from "../harness/tar.ts";

const noise = crypto.getRandomValues(new Uint8Array(60_000));
const image = buildImage({
  layers: [{ entries: [1, 2, 3, 4].map((n) => file(`noise-${n}`, noise)), compression: "none" }],
});
const auth = { user: "someone", password: "pass:word" };

let plain: Registry;
let secure: Registry;
let locked: Registry;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "galley-home-"));
  [plain, secure, locked] = await Promise.all([startRegistry(), startRegistry({ tls: true }), startRegistry({ auth })]);
  for (const registry of [plain, secure, locked]) await registry.push("team/app", "1", image);
});
afterAll(async () => {
  await Promise.all([plain, secure, locked].map((registry) => registry?.stop()));
  rmSync(home, { recursive: true, force: true });
});

const subject = (host: string, transport: RegistryTransport) => ({
  transport,
  reference: parseReference(`${host}/team/app:1`),
  missing: parseReference(`${host}/team/app:none`),
});

function trust(registry: Registry): void {
  const directory = join(home, ".config/docker/certs.d", registry.host);
  mkdirSync(directory, { recursive: true });
  copyFileSync(registry.authority ?? "", join(directory, "ca.crt"));
}

async function faultOf(work: Promise<unknown>): Promise<GalleyError> {
  return work.then(
    () => Promise.reject(new Error("it did not fail")),
    (failure: GalleyError) => failure,
  );
}

runTransportSuite("a registry without TLS", async () =>
  subject(plain.host, new RegistryTransport({ env: { HOME: home } })),
);

runTransportSuite("a registry with TLS and an authority of its own", async () => {
  trust(secure);
  return subject(secure.host, new RegistryTransport({ env: { HOME: home } }));
});

runTransportSuite("a registry with basic authentication", async () => {
  const credentials = { kind: "password", username: auth.user, password: auth.password } as const;
  return subject(locked.host, new RegistryTransport({ env: { HOME: home }, credentials }));
});

describe("a registry that asks for tokens", () => {
  let gate: FaultsServer;
  beforeAll(async () => {
    gate = await startFaultsServer(plain.url, { token: { ...auth, uses: 2 } });
  });
  afterAll(() => gate.stop());

  runTransportSuite("it", async () => {
    const credentials = { kind: "password", username: auth.user, password: auth.password } as const;
    return subject(gate.host, new RegistryTransport({ env: { HOME: home }, credentials }));
  });

  test("refuses who has no login, and says so", async () => {
    const { transport, reference } = subject(gate.host, new RegistryTransport({ env: { HOME: home } }));
    const fault = await faultOf(transport.resolve(reference));
    expect(fault.code).toBe("unauthenticated");
    expect(fault.describe()).toContain("wrong name or password");
  });
});

describe("a login", () => {
  test("comes from docker's file or its helper", async () => {
    const docker = join(home, "docker");
    mkdirSync(docker, { recursive: true });
    const config = (content: unknown) => writeFileSync(join(docker, "config.json"), JSON.stringify(content));
    const env = { HOME: home, DOCKER_CONFIG: docker };
    config({ auths: { [locked.host]: { auth: btoa(`${auth.user}:${auth.password}`) } } });
    const { transport, reference } = subject(locked.host, new RegistryTransport({ env }));
    expect((await transport.resolve(reference)).digest).toBe(image.descriptor.digest);
    const answer = JSON.stringify({ Username: auth.user, Secret: auth.password });
    writeFileSync(join(docker, "docker-credential-galleytest"), `#!/bin/sh\ncat >/dev/null\necho '${answer}'\n`, {
      mode: 0o755,
    });
    config({ credHelpers: { [locked.host]: "galleytest" } });
    const withHelper = new RegistryTransport({ env: { ...env, PATH: `${docker}:/usr/bin:/bin` } });
    expect((await withHelper.resolve(reference)).digest).toBe(image.descriptor.digest);
  });

  test("that is wrong or missing is told", async () => {
    const credentials = { kind: "password", username: auth.user, password: "wrong" } as const;
    for (const options of [{}, { credentials }]) {
      const { transport, reference } = subject(locked.host, new RegistryTransport({ env: { HOME: home }, ...options }));
      const fault = await faultOf(transport.resolve(reference));
      expect(fault.code).toBe("unauthenticated");
      expect(fault.describe()).toContain("config.json");
    }
  });
});

describe("a certificate", () => {
  const env = () => ({ HOME: join(home, "nobody") });

  test("of an authority that is not trusted is refused, with the place to trust it", async () => {
    const { transport, reference } = subject(secure.host, new RegistryTransport({ env: env() }));
    const fault = await faultOf(transport.resolve(reference));
    expect(fault.code).toBe("failed_precondition");
    expect(fault.describe()).toContain(`/etc/docker/certs.d/${secure.host}/ca.crt`);
  });

  test("for another name is refused", async () => {
    const [key, cert] = ["server.key", "server.crt"].map((name) => Bun.file(join(secure.authority ?? "", "..", name)));
    const server = Bun.serve({
      hostname: "127.0.0.2",
      port: 0,
      tls: { key, cert },
      fetch: () => new Response("{}"),
    });
    try {
      const env = { HOME: home, SSL_CERT_FILE: secure.authority };
      const { transport, reference } = subject(`127.0.0.2:${server.port}`, new RegistryTransport({ env }));
      expect((await faultOf(transport.resolve(reference))).message).toContain("was made for another name");
    } finally {
      await server.stop(true);
    }
  });

  test("is trusted by SSL_CERT_FILE too", async () => {
    const env = { HOME: join(home, "nobody"), SSL_CERT_FILE: secure.authority };
    const { transport, reference } = subject(secure.host, new RegistryTransport({ env }));
    expect((await transport.resolve(reference)).digest).toBe(image.descriptor.digest);
  });
});

test("a registry that is down is told with its address", async () => {
  const host = `127.0.0.1:${freePort()}`;
  const { transport, reference } = subject(host, new RegistryTransport({ env: { HOME: home } }));
  const fault = await faultOf(transport.resolve(reference));
  expect(fault.code).toBe("unavailable");
  expect(fault.describe()).toContain(`http://${host}: nothing answers there`);
});
