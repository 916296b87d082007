import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeLeftovers } from "../test/harness/leftovers.ts";
import type { Setting } from "./cases.ts";
import { galley } from "./contestants.ts";
import { type Daemon, startDaemon, succeeds } from "./daemon.ts";
import { interleave, type Row, type Sampler, timed, together } from "./measurement.ts";
import { isWanted, largeImage, podmanAt } from "./wanted.ts";

/** One who pulls: how its store is emptied, and what fills it again. */
interface Puller {
  empty(): void | Promise<void>;
  readonly pull: readonly string[];
  close?(): Promise<void>;
}

/**
 * A pull of the image of `--large` into an empty store, beside docker, podman, containerd, and beside what nobody can do without: to decompress
 * and hash its layers, all at once on this machine's cores. Then the first run on what was pulled, beside the next ones, and the memory of a pull.
 */
export async function pull(setting: Setting): Promise<Row[]> {
  const image = largeImage(setting);
  const folder = mkdtempSync("/var/tmp/galley-bench-pull-");
  const own = new GalleyStore(setting.contestants[0]?.program[0] ?? "", folder);
  const pullers = {
    ...(await peers(setting, image, folder)),
    galley: { empty: () => own.empty(), pull: own.pull(image) },
  };
  try {
    const layers = layersOf(own.program, image, join(folder, "layers"));
    const samplers = Object.fromEntries(Object.entries(pullers).map(([name, it]) => [name, sampler(it)]));
    const all = { ...samplers, "gunzip and hash": () => unpackAndHash(layers) };
    return [
      { work: "pull into an empty store", unit: "ms", samples: await interleave(all, setting.rounds) },
      await firstRun(own, image, setting.rounds),
      await memory(own, image, setting.rounds),
    ];
  } finally {
    for (const it of Object.values<Puller>(pullers)) await it.close?.();
    await own.empty();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sampler({ empty, pull }: Puller): Sampler {
  return async () => {
    await empty();
    return timed(pull);
  };
}

/** A store of Galley's that can be emptied, mounts and all. */
class GalleyStore {
  readonly store: string;

  constructor(
    readonly program: string,
    folder: string,
  ) {
    this.store = join(folder, "galley");
  }

  command(...args: readonly string[]): readonly string[] {
    return [...galley(this.program, this.store).program, ...args];
  }

  pull(image: string): readonly string[] {
    return this.command("pull", "-q", image);
  }

  async empty(): Promise<void> {
    await removeLeftovers([this.store]);
    rmSync(this.store, { recursive: true, force: true });
  }
}

/** The peers that are there and wanted, each with a store of its own or, as docker has one only, with the image taken from it. */
async function peers(setting: Setting, image: string, folder: string): Promise<Record<string, Puller>> {
  const found: Record<string, Puller> = {};
  if (isWanted(setting, "docker")) {
    found.docker = { empty: quietly("docker", "rmi", "-f", image), pull: ["docker", "pull", "-q", image] };
  }
  if (isWanted(setting, "podman")) {
    const podman = podmanAt(folder);
    const close = async () => quietly(...podman, "system", "reset", "-f")();
    const command = [...podman, "pull", "-q", "--tls-verify=false", image];
    found.podman = { empty: quietly(...podman, "rmi", "-af"), pull: command, close };
  }
  if (isWanted(setting, "containerd") && Bun.which("ctr") !== null) {
    const daemon = await startContainerd(folder);
    const ctr = ["ctr", "--address", join(folder, "containerd.sock")];
    found.containerd = {
      empty: quietly(...ctr, "images", "rm", "--sync", image),
      pull: [...ctr, "images", "pull", "--plain-http", image],
      close: () => daemon.stop(),
    };
  }
  return found;
}

/** Runs a command that may fail, where there is nothing to remove. */
function quietly(...command: readonly string[]): () => void {
  return () => void succeeds(command);
}

function startContainerd(folder: string): Promise<Daemon> {
  const socket = join(folder, "containerd.sock");
  const command = [
    "--root",
    join(folder, "containerd"),
    "--state",
    join(folder, "containerd-state"),
    "--address",
    socket,
  ];
  return startDaemon(["containerd", ...command], ["ctr", "--address", socket, "version"]);
}

/** The compressed layers of the image, as files. */
function layersOf(program: string, image: string, directory: string): readonly string[] {
  timed([program, "copy", "--src-tls-verify=false", `docker://${image}`, `dir:${directory}`]);
  const blobs = readdirSync(directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
  return blobs.map((name) => join(directory, name)).filter((path) => isGzip(path));
}

function isGzip(path: string): boolean {
  return succeeds(["gzip", "-l", path]);
}

/** Both digests of each layer, one pipeline for each. */
async function unpackAndHash(layers: readonly string[]): Promise<number> {
  const pipeline = 'gzip -dc "$0" | sha256sum >/dev/null && sha256sum "$0" >/dev/null';
  return Math.max(...(await together(layers.map((path) => ["sh", "-c", pipeline, path]))));
}

/** The first run of an image that was just pulled, and the next one. */
async function firstRun(own: GalleyStore, image: string, rounds: number): Promise<Row> {
  const samples = { galley: [] as number[], "run again": [] as number[] };
  const run = own.command("run", "--rm", "--network", "none", image, "true");
  for (let round = 0; round < rounds; round++) {
    await own.empty();
    timed(own.pull(image));
    samples.galley.push(timed(run));
    samples["run again"].push(timed(run));
  }
  return { work: "first run --rm after a pull", unit: "ms", samples };
}

/** The most resident memory of a pull's process, shared pages of the executable included (getrusage(2), ru_maxrss). */
async function memory(own: GalleyStore, image: string, rounds: number): Promise<Row> {
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await own.empty();
    const { resourceUsage } = Bun.spawnSync([...own.pull(image)], { stdio: ["ignore", "ignore", "ignore"] });
    sizes.push((resourceUsage?.maxRSS ?? Number.NaN) / 1024);
  }
  return { work: "peak memory of a pull", unit: "KiB", samples: { galley: sizes } };
}
