import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import type { BuiltImage } from "./image-builder.ts";
import { pushImage } from "./push.ts";

export interface RegistryOptions {
  /** Serve HTTPS with a certificate of an authority made for this registry. */
  readonly tls?: boolean;
  /** With TLS: take nobody who has no certificate of the same authority. */
  readonly clientCertificates?: boolean;
  /** Ask for a name and password (basic authentication). */
  readonly auth?: { readonly user: string; readonly password: string };
}

/** A running registry: Debian's docker-registry with a storage of its own. */
export interface Registry {
  /** `127.0.0.1:PORT`, as references begin. */
  readonly host: string;
  /** `http://127.0.0.1:PORT` or the same with https. */
  readonly url: string;
  /** Path of the authority's certificate, where TLS was asked for. */
  readonly authority: string | undefined;
  /** Puts an image there; returns the reference `HOST/REPOSITORY:TAG`. */
  push(repository: string, tag: string, image: BuiltImage): Promise<string>;
  /** The file that stores a blob, to be altered or removed. */
  blobFile(digest: string): string;
  /** What the server wrote. */
  log(): string;
  /** Ends the server and removes its storage. */
  stop(): Promise<void>;
}

/** Starts a registry on a free loopback port. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  if (Bun.which("docker-registry") === null)
    throw new Error("docker-registry is missing: apt-get install -y docker-registry");
  const folder = mkdtempSync(join(tmpdir(), "galley-registry-"));
  try {
    const certificates = options.tls === true ? makeCertificates(folder) : undefined;
    for (let attempt = 0; ; attempt++) {
      const server = await serve(folder, options, certificates);
      if (server !== undefined) return describe(server, folder, options, certificates?.authority);
      if (attempt === 5)
        throw new Error(`docker-registry does not start: ${readFileSync(join(folder, "log"), "utf8")}`);
    }
  } catch (failure) {
    rmSync(folder, { recursive: true, force: true });
    throw failure;
  }
}

interface Server {
  readonly child: Bun.Subprocess;
  readonly port: number;
}

/** One attempt; undefined where the server ended at once, since its port was taken meanwhile. */
async function serve(
  folder: string,
  options: RegistryOptions,
  certificates: ReturnType<typeof makeCertificates> | undefined,
): Promise<Server | undefined> {
  const port = freePort();
  const configuration = {
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "one server needs no shared secret",
      ...(certificates === undefined ? {} : { tls: tlsOf(certificates, options.clientCertificates === true) }),
    },
    ...(options.auth === undefined
      ? {}
      : { auth: { htpasswd: { realm: "test", path: await htpasswd(folder, options.auth) } } }),
  };
  // JSON is YAML.
  writeFileSync(join(folder, "config.yml"), JSON.stringify(configuration));
  const log = Bun.file(join(folder, "log"));
  const child = Bun.spawn(["docker-registry", "serve", join(folder, "config.yml")], {
    stdio: ["ignore", log, log],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: "none" },
  });
  return (await answers(child, port)) ? { child, port } : undefined;
}

function tlsOf({ authority, certificate, key }: ReturnType<typeof makeCertificates>, clients: boolean) {
  return { certificate, key, ...(clients ? { clientcas: [authority] } : {}) };
}

async function htpasswd(folder: string, auth: { readonly user: string; readonly password: string }): Promise<string> {
  const path = join(folder, "htpasswd");
  const hash = await Bun.password.hash(auth.password, { algorithm: "bcrypt", cost: 4 });
  writeFileSync(path, `${auth.user}:${hash}\n`);
  return path;
}

/** Waits until the port takes connections or the server has ended. */
async function answers(child: Bun.Subprocess, port: number): Promise<boolean> {
  while (child.exitCode === null) {
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
      socket.end();
      return true;
    } catch {
      await Bun.sleep(20);
    }
  }
  return false;
}

function describe(server: Server, folder: string, options: RegistryOptions, authority: string | undefined): Registry {
  const host = `127.0.0.1:${server.port}`;
  const url = `${options.tls === true ? "https" : "http"}://${host}`;
  const access = {
    url,
    ...(authority === undefined ? {} : { authority: readFileSync(authority, "utf8") }),
    ...(options.auth === undefined ? {} : { auth: options.auth }),
  };
  return {
    host,
    url,
    authority,
    async push(repository, tag, image) {
      await pushImage(access, repository, tag, image);
      return `${host}/${repository}:${tag}`;
    },
    blobFile(digest) {
      const hex = digest.replace("sha256:", "");
      return join(folder, "storage/docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    },
    log: () => readFileSync(join(folder, "log"), "utf8"),
    async stop() {
      server.child.kill("SIGKILL");
      await server.child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
