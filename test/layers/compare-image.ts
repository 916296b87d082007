/** An image's layers kept in both forms and unpacked by GNU tar, compared inode by inode. */
import { appendFileSync, createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KeptLayers } from "../../src/image/snapshot/kept-layers.ts";
import { type ImageLayer, openImage } from "../../src/library/galley.ts";
import { mountReadOnlyOverlay } from "../../src/linux/sys/read-only-overlay.ts";
import { UMOUNT, umount } from "../../src/linux/sys/sys.ts";
import { removeLeftovers } from "../harness/leftovers.ts";
import { describeTree, type Inode } from "./tree.ts";

/** What was compared, and each difference as a line. */
export interface Comparison {
  readonly layers: number;
  /** Of all layers. */
  readonly inodes: number;
  /** Of the image as a container sees it. */
  readonly merged: number;
  readonly differences: readonly string[];
}

/** The same layer, or image, unpacked in different ways. */
type Views = Readonly<Record<string, readonly Inode[]>>;

/**
 * Compares mode, owner, size, times to the nanosecond, attributes, links, devices and content of every inode of a place's image: each
 * layer as its index is mounted, as it is unpacked to a directory, and as GNU tar unpacks it; then the whole image, mounted layers and
 * directories under overlayfs. Needs root, and room for three times the unpacked image.
 */
export async function compareImage(place: string, report: (line: string) => void = () => {}): Promise<Comparison> {
  const base = mkdtempSync(join(tmpdir(), "galley-compare-"));
  try {
    await using image = await openImage(place);
    const forms = [keptIn(base, "erofs"), keptIn(base, "directories")] as const;
    const differences: string[] = [];
    let inodes = 0;
    for (const [position, layer] of image.layers.entries()) {
      const views = await layerViews(base, layer, forms);
      differences.push(...differencesOf(`layer ${position}`, views));
      inodes += views["GNU tar"]?.length ?? 0;
      report(
        `layer ${position} (${layer.diffId}): ${views["GNU tar"]?.length} inodes, ${differences.length} differences`,
      );
    }
    const diffIds = image.layers.map(({ diffId }) => diffId);
    const [mounted, directory] = [await merged(base, forms[0], diffIds), await merged(base, forms[1], diffIds)];
    const whole = {
      mounted: withoutMadeTimes(mounted),
      directory: withoutMadeTimes(directory),
    };
    differences.push(...differencesOf("the image", whole));
    return { layers: image.layers.length, inodes, merged: mounted.length, differences };
  } finally {
    await removeLeftovers([base]);
    rmSync(base, { recursive: true });
  }
}

function keptIn(base: string, form: "erofs" | "directories"): KeptLayers {
  return new KeptLayers({ layers: join(base, form), mounts: join(base, "run", form), form });
}

async function layerViews(
  base: string,
  layer: ImageLayer,
  [erofs, directories]: readonly [KeptLayers, KeptLayers],
): Promise<Views> {
  const [tar, unpacked] = [join(base, "layer.tar"), join(base, "gnu")];
  await pipeline(Readable.from(layer.tar()), createWriteStream(tar));
  try {
    const seen = async (kept: KeptLayers) => {
      await kept.apply(layer.diffId, createReadStream(tar));
      return describeTree((await kept.lower([layer.diffId]))[0] ?? "");
    };
    const [mounted, directory] = [await seen(erofs), await seen(directories)];
    appendFileSync(tar, new Uint8Array(1024)); // umoci's whiteouts come without an end, which GNU tar refuses.
    const names = namesIn(tar);
    const views = { mounted, directory, "GNU tar": withWhiteouts(unpackedByGnuTar(tar, unpacked)) };
    return Object.fromEntries(Object.entries(views).map(([name, view]) => [name, withoutMadeTimes(view, names)]));
  } finally {
    for (const path of [tar, unpacked]) rmSync(path, { recursive: true, force: true });
  }
}

const PLAIN = { env: { LC_ALL: "C.UTF-8", PATH: process.env.PATH ?? "" } };

function unpackedByGnuTar(tar: string, into: string): readonly Inode[] {
  mkdirSync(into);
  const flags = [
    "--numeric-owner",
    "--same-owner",
    "-p",
    "--xattrs",
    "--xattrs-include=*",
    "--delay-directory-restore",
  ];
  const { success, stderr } = Bun.spawnSync(["tar", "-C", into, ...flags, "-xf", tar], PLAIN);
  if (!success) throw new Error(`tar: ${stderr}`);
  return describeTree(into);
}

/** What the archive names, without slashes at the ends. */
function namesIn(tar: string): ReadonlySet<string> {
  const { stdout } = Bun.spawnSync(["tar", "--quoting-style=literal", "-tf", tar], PLAIN);
  const names = stdout.toString().split("\n").filter(Boolean);
  return new Set(names.map((name) => name.replace(/^(\.?\/)+|\/+$/g, "")));
}

/** GNU tar knows no whiteouts: its files of their names become what overlayfs has for them. */
function withWhiteouts(inodes: readonly Inode[]): readonly Inode[] {
  const opaque = new Set<string>();
  const found: Inode[] = [];
  for (const inode of inodes) {
    const [, parent = "", name = ""] = /^(?:(.*)\/)?\.wh\.([^/]*)$/.exec(inode.path) ?? [];
    if (name === "") found.push(inode);
    else if (name === ".wh..opq") opaque.add(parent);
    else found.push({ path: parent === "" ? name : `${parent}/${name}`, type: "char", rdev: 0n });
  }
  return found.map((inode) => (opaque.has(inode.path) ? { ...inode, "xattr trusted.overlay.opaque": "79" } : inode));
}

/** Of directories that no entry describes the time is when they were made, of whiteouts nothing counts but that they are there. */
function withoutMadeTimes(inodes: readonly Inode[], described: ReadonlySet<string> = new Set()): readonly Inode[] {
  return inodes.map((inode) => {
    if (inode.type === "char" && Number(inode.rdev) === 0) return { path: inode.path, type: "whiteout" };
    return inode.type === "directory" && !described.has(inode.path) ? { ...inode, modified: "made" } : inode;
  });
}

async function merged(base: string, kept: KeptLayers, diffIds: readonly string[]): Promise<readonly Inode[]> {
  const [root, empty] = [join(base, "root"), join(base, "empty")];
  for (const path of [root, empty]) mkdirSync(path, { recursive: true });
  mountReadOnlyOverlay([...(await kept.lower(diffIds)), empty], root);
  try {
    return describeTree(root);
  } finally {
    umount(root, UMOUNT.DETACH);
  }
}

/** The first view against each other one. */
function differencesOf(where: string, views: Views): readonly string[] {
  const [[first, expected] = ["", []], ...others] = Object.entries(views);
  const lines = (inodes: readonly Inode[]) =>
    new Map(inodes.map((inode) => [inode.path, JSON.stringify(inode, plain)]));
  const left = lines(expected);
  return others.flatMap(([name, inodes]) => {
    const right = lines(inodes);
    return [...new Set([...left.keys(), ...right.keys()])]
      .filter((path) => left.get(path) !== right.get(path))
      .map((path) => `${where}, ${path}: ${first} ${left.get(path)}, ${name} ${right.get(path)}`);
  });
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
