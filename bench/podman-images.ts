import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An image as `images.json` of containers-storage lists it. */
interface StoredImage {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** What makes an image another one than the first: its name, and the bytes of its configuration. */
export interface Variant {
  readonly name: string;
  readonly created: string;
  readonly config: string;
}

/**
 * Adds images to a store of podman's that holds one, each of the same layer: in the files and with the words in which podman wrote the first. Its
 * own `load` writes its list of all images anew, several times for each, and takes more than an hour for 5,000.
 * @param root podman's `--root`
 */
export function addToPodman(root: string, variants: readonly Variant[]): void {
  const directory = join(root, "overlay-images");
  const path = join(directory, "images.json");
  const [first] = JSON.parse(readFileSync(path, "utf8")) as readonly StoredImage[];
  if (first === undefined) throw new Error(`${path} lists no image`);
  const manifest = JSON.parse(readFileSync(join(directory, first.id, "manifest"), "utf8")) as object;
  const added = variants.map((variant) => addOne(directory, first, manifest, variant));
  writeFileSync(path, JSON.stringify([first, ...added]));
}

function addOne(directory: string, first: StoredImage, manifest: object, { name, created, config }: Variant) {
  const id = hexOf(config);
  const documents = { config: { ...configOf(manifest), digest: `sha256:${id}`, size: Buffer.byteLength(config) } };
  const text = JSON.stringify({ ...manifest, ...documents });
  const digest = `sha256:${hexOf(text)}`;
  const files = { [`sha256:${id}`]: config, [`manifest-${digest}`]: text, manifest: text };
  mkdirSync(join(directory, id), { mode: 0o700 });
  for (const [key, content] of Object.entries(files)) {
    writeFileSync(join(directory, id, fileName(key)), content, { mode: 0o600 });
  }
  const about = (value: (content: string) => unknown) =>
    Object.fromEntries(Object.entries(files).map(([key, content]) => [key, value(content)]));
  return {
    ...{ ...first, id, digest, created, names: [name], "names-history": [name] },
    "big-data-names": Object.keys(files),
    "big-data-sizes": about(Buffer.byteLength),
    "big-data-digests": about((content) => `sha256:${hexOf(content)}`),
  };
}

function configOf(manifest: object): object {
  return (manifest as { readonly config: object }).config;
}

/** As containers-storage names the files of an image's documents. */
function fileName(key: string): string {
  return /^[A-Za-z0-9.-]+$/.test(key) ? key : `=${Buffer.from(key).toString("base64")}`;
}

function hexOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
