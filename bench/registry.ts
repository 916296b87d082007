import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../test/harness/free-port.ts";
import { digestOf, document } from "../test/harness/image-builder.ts";
import { pushBlob, pushManifest } from "../test/harness/push.ts";
import type { Setting } from "./cases.ts";
import { interleave, type Row } from "./measurement.ts";

/** Bytes of the blob whose way there and back is measured. */
const LARGE = 150_000_000;

/** Requests of one sample, and how many of them are under way at once. */
const REQUESTS = 1000;
const AT_ONCE = 16;

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A registry server that is measured. */
interface Server {
  readonly url: string;
  readonly child: Bun.Subprocess;
}

/** `galley registry serve` beside Debian's docker-registry, both with storage on the same file system. */
export async function registry(setting: Setting): Promise<Row[]> {
  const folder = mkdtempSync(join(process.env.GALLEY_BENCH_DIR ?? tmpdir(), "galley-bench-registry-"));
  const servers = await startAll(folder, setting.contestants[0]?.program[0] ?? "");
  try {
    return await measure(servers, folder, setting.rounds);
  } finally {
    for (const { child } of Object.values(servers)) child.kill();
    await Promise.all(Object.values(servers).map(({ child }) => child.exited));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startAll(folder: string, program: string): Promise<Record<string, Server>> {
  const own = freePort();
  const servers = {
    galley: start(own, [
      program,
      "registry",
      "serve",
      "--listen",
      `127.0.0.1:${own}`,
      "--root",
      join(folder, "galley"),
    ]),
    ...(Bun.which("docker-registry") === null ? {} : { "docker-registry": startDebians(folder) }),
  };
  for (const { url } of Object.values(servers)) await answers(url);
  return servers;
}

function startDebians(folder: string): Server {
  const port = freePort();
  const configuration = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "docker") } },
    http: { addr: `127.0.0.1:${port}`, secret: "one server needs no shared secret" },
  };
  writeFileSync(join(folder, "config.yml"), JSON.stringify(configuration)); // JSON is YAML.
  return start(port, ["docker-registry", "serve", join(folder, "config.yml")]);
}

function start(port: number, command: readonly string[]): Server {
  const env = { ...process.env, OTEL_TRACES_EXPORTER: "none" };
  return {
    url: `http://127.0.0.1:${port}`,
    child: Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"], env }),
  };
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await fetch(`${url}/v2/`).catch(() => undefined)) return;
    await Bun.sleep(100);
  }
  throw new Error(`no registry at ${url}`);
}

async function measure(servers: Readonly<Record<string, Server>>, folder: string, rounds: number): Promise<Row[]> {
  const config = document("application/vnd.oci.image.config.v1+json", {});
  const manifest = document(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config: config.descriptor, layers: [] });
  for (const server of Object.values(servers)) {
    await pushBlob(server, "bench", config);
    await pushManifest(server, "bench", "1", manifest);
  }
  const row = async (work: string, sample: (server: Server) => Promise<unknown>, count = rounds): Promise<Row> => {
    const samplers = Object.entries(servers).map(([name, server]) => [name, () => time(() => sample(server))] as const);
    return { work: `registry: ${work}`, unit: "ms", samples: await interleave(Object.fromEntries(samplers), count) };
  };
  let number = 0;
  const few = Math.max(1, Math.floor(rounds / 4));
  return [
    ...(await measureLarge(servers, folder, few)),
    await row(`${REQUESTS} × GET of a manifest`, (server) => many(() => get(server, "manifests/1"))),
    await row(`${REQUESTS} × HEAD of a blob`, (server) =>
      many(() => get(server, `blobs/${config.descriptor.digest}`, "HEAD")),
    ),
    await row(
      `${REQUESTS / 10} × push of a small blob`,
      (server) => many(() => pushBlob(server, "bench", document("x/y", { number: ++number })), REQUESTS / 10),
      few,
    ),
    await row(
      `${REQUESTS / 10} × push of a manifest`,
      (server) => many(() => pushManifest(server, "bench", `t${++number % 50}`, manifest), REQUESTS / 10),
      few,
    ),
  ];
}

/** A large blob there and back, moved by a process of its own whose speed is that of the network. */
async function measureLarge(
  servers: Readonly<Record<string, Server>>,
  folder: string,
  rounds: number,
): Promise<readonly Row[]> {
  const file = join(folder, "large");
  const bytes = Buffer.alloc(LARGE, crypto.getRandomValues(new Uint8Array(1 << 16)));
  const places = new Map<string, string>();
  const push = async (server: Server) => {
    crypto.getRandomValues(bytes.subarray(0, 16)); // Each sample's blob is another one.
    writeFileSync(file, bytes);
    const digest = digestOf(bytes);
    places.set(server.url, `${server.url}/v2/bench/blobs/${digest}`);
    const begun = await fetch(`${server.url}/v2/bench/blobs/uploads/`, { method: "POST" });
    const place = new URL(begun.headers.get("location") ?? "", server.url);
    place.searchParams.set("digest", digest);
    return time(() => curl("-T", file, "-H", "Content-Type: application/octet-stream", "-H", "Expect:", place.href));
  };
  const pull = ({ url }: Server) => time(() => curl(places.get(url) ?? ""));
  const pullFour = (server: Server) => time(() => Promise.all([1, 2, 3, 4].map(() => pull(server))));
  const all = async (sampler: (server: Server) => Promise<number>) => {
    const samplers = Object.entries(servers).map(([name, server]) => [name, () => sampler(server)] as const);
    return interleave(Object.fromEntries(samplers), rounds);
  };
  return [
    { work: `registry: push a blob of ${LARGE / 1e6} MB`, unit: "ms", samples: await all(push) },
    { work: "registry: pull it", unit: "ms", samples: await all(pull) },
    { work: "registry: pull it, 4 at once", unit: "ms", samples: await all(pullFour) },
  ];
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = Bun.nanoseconds();
  await work();
  return (Bun.nanoseconds() - start) / 1e6;
}

async function curl(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["curl", "-sf", "-o", "/dev/null", ...args], { stdio: ["ignore", "ignore", "ignore"] });
  if ((await child.exited) !== 0) throw new Error(`curl ${args.join(" ")}: exit status ${child.exitCode}`);
}

async function many(request: () => Promise<unknown>, count = REQUESTS): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await request();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function get({ url }: Server, path: string, method = "GET"): Promise<void> {
  const response = await fetch(`${url}/v2/bench/${path}`, { method, headers: { accept: MANIFEST } });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  await response.arrayBuffer();
}
