/**
 * Rounds of what people do to one store at once: pulls, loads, runs, commits, tags, removals and prunes, some of them killed. After
 * each round the store must hold what it says it holds; after a last prune, nothing.
 */
import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../fuzz/random.ts";
import { busyboxImage } from "../harness/fixtures.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { type BuiltImage, type LayerInput, writeLayout } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file } from "../harness/tar.ts";
import { faultsOf, remainsOf } from "./invariants.ts";

export interface RoundsOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Milliseconds since 1970 after which no round begins. */
  readonly end?: number;
  readonly report?: (line: string) => void;
}

/** Commands at a time; more than the machine has cores, so that they cut into one another. */
const AT_ONCE = 6;

/** Milliseconds within which a killed command dies. */
const LIFE = 1500;

/** Names of images, and content that some of them share. */
const NAMES = ["a", "b", "c", "d", "e"];

interface Lab {
  readonly store: Store;
  readonly registry: Registry;
  readonly directory: string;
}

/** Runs rounds; gives what was wrong after one of them, or at the end, in words. Nothing: all was well. */
export async function collectionRounds({
  seed,
  rounds,
  end,
  report = () => undefined,
}: RoundsOptions): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "galley-collection-"));
  const lab = { store: createStore(), registry: await startRegistry(), directory };
  try {
    await prepare(lab);
    for (let round = 0; round < rounds && Date.now() < (end ?? Number.POSITIVE_INFINITY); round++) {
      const random = new Random(seed, round);
      const done = await Promise.all(Array.from({ length: AT_ONCE }, () => act(lab, random)));
      report(`round ${round}: ${done.join(", ")}`);
      const faults = [...done.filter((line) => line.includes("!")), ...(await faultsOf(lab.store, random))];
      if (faults.length > 0) return [`seed ${seed}, round ${round}: ${done.join(", ")}`, ...faults];
    }
    return await lastPrune(lab.store);
  } finally {
    await lab.registry.stop();
    await lab.store.cleanup();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function prepare({ store, registry, directory }: Lab): Promise<void> {
  await store.ok(["run", "--rm", "busybox", "true"]);
  for (const [index, name] of NAMES.entries()) {
    const image = imageOf(index);
    await registry.push("team/app", name, image);
    mkdirSync(join(directory, name));
    writeLayout(join(directory, name), "app", image);
    await store.ok([
      "copy",
      "-q",
      `oci:${join(directory, name)}:app`,
      `docker-archive:${join(directory, `${name}.tar`)}:loaded/app:${name}`,
    ]);
  }
}

/** Neighbours share a layer; each has one of its own that takes a while. */
function imageOf(index: number): BuiltImage {
  const layer = (name: string, size: number): LayerInput => ({ entries: [file(name, noise(name, size))] });
  const shared = [index, index + 1].map((number) => layer(`shared-${number % NAMES.length}`, 200_000));
  return busyboxImage({
    layers: [...shared, layer(`own-${index}`, 1_000_000)],
    config: { Labels: { number: `${index}` } },
  });
}

/** Bytes that do not compress, the same for the same name. */
function noise(name: string, size: number): Uint8Array {
  const pieces = Array.from({ length: Math.ceil(size / 64) }, (_, index) =>
    new Bun.CryptoHasher("sha512").update(`${name} ${index}`).digest(),
  );
  return Buffer.concat(pieces, size);
}

/** One command; gives it in words, with a mark where it ended as it must not. */
async function act(lab: Lab, random: Random): Promise<string> {
  const args = command(lab, random);
  const killed = random.chance(0.4);
  const life = random.below(LIFE);
  const session = lab.store.spawn(args);
  const timer = killed ? setTimeout(() => session.kill("SIGKILL"), life) : undefined;
  const status = await session.ended(120_000);
  clearTimeout(timer);
  const words = args.map((arg) => arg.replace(`${lab.directory}/`, "").replace(lab.registry.host, "R")).join(" ");
  if (killed) return `${words} (killed)`;
  return isExpected(status, session.stderr) ? words : `${words} ! ${status}: ${session.stderr.trim()}`;
}

/** What may come of a command whose image somebody else removes at the same time. */
function isExpected(status: number, said: string): boolean {
  if (status === 0) return true;
  return /No such image|No such container|conflict: unable to|must be forced|cannot be forced|is being used|already in use/.test(
    said,
  );
}

function command({ registry, directory }: Lab, random: Random): readonly string[] {
  const name = random.one(NAMES);
  const remote = `${registry.host}/team/app:${name}`;
  const loaded = `loaded/app:${name}`;
  const any = random.one([remote, loaded, "busybox"]);
  // There is no registry that has what was only loaded.
  const pull = any === loaded ? "never" : "missing";
  const container = `c${random.below(4)}`;
  return random.one<readonly string[]>([
    ["pull", "-q", remote],
    ["pull", "-q", remote],
    ["load", "-q", "-i", join(directory, `${name}.tar`)],
    ["copy", "-q", `oci:${join(directory, name)}:app`, `containers-storage:${loaded}`],
    ["run", "-q", "--rm", "--pull", pull, "--network", "none", any, "true"],
    ["run", "-q", "--name", container, "--network", "none", remote, "sh", "-c", "echo x > /new"],
    ["commit", container, `made/by:${name}`],
    ["rm", "-f", container],
    ["tag", remote, `tagged/app:${name}`],
    ["rmi", "-f", any],
    ["rmi", `tagged/app:${name}`],
    ["image", "prune", "-f"],
    ["image", "prune", "-af"],
    ["system", "df"],
  ]);
}

/** Removes everything as a user would; gives what is left. */
async function lastPrune(store: Store): Promise<readonly string[]> {
  const ids = (await store.ok(["ps", "-aq"])).split("\n").filter(Boolean);
  if (ids.length > 0) await store.ok(["rm", "-f", "-v", ...ids]);
  await store.ok(["image", "prune", "-af"]);
  const database = new Database(join(store.root, "galley.db"), { readonly: true });
  try {
    return remainsOf(store.root, database);
  } finally {
    database.close();
  }
}
