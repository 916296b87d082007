import { expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Descriptor, ImageManifest } from "../../src/spec/image.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, writeLayout } from "../harness/image-builder.ts";
import { file } from "../harness/tar.ts";

/** What annotations of encrypted layers begin with. */
export const prefix = "org.opencontainers.image.enc.";

/** A folder for keys and layouts, an image of three layers in it, and Galley to encrypt it. */
export class EncryptionLab {
  readonly store: Store = createStore();
  readonly folder = mkdtempSync(join(tmpdir(), "galley-encryption-"));
  /** The layout of the image as it is, `oci:PATH:1`. */
  readonly plain: string;
  /** More of what Galley and skopeo have in their environment. */
  env: Readonly<Record<string, string>> = {};
  #count = 0;

  constructor() {
    const layers = ["one", "two", "three"].map((name) => ({ entries: [file(name, name.repeat(50_000))] }));
    this.plain = this.place();
    writeLayout(pathOf(this.plain), "1", buildImage({ layers }));
  }

  /** A file in the folder. */
  key = (name: string) => join(this.folder, name);
  /** A path that nothing is at. */
  fresh = () => join(this.folder, `${++this.#count}`);
  /** A layout that is not there yet. */
  place = () => `oci:${this.fresh()}:1`;
  copy = (...args: readonly string[]) => this.store.ok(["copy", "-q", ...args], { env: this.env });
  /** The image, encrypted by Galley. */
  locked = async (...flags: readonly string[]): Promise<string> => {
    const to = this.place();
    await this.copy(...flags, this.plain, to);
    return to;
  };
  refused = async (message: string, ...args: readonly string[]): Promise<void> => {
    const { status, stderr } = await this.store.galley(["copy", "-q", ...args], { env: this.env });
    expect({ status, told: stderr.includes(message) ? message : stderr }).toEqual({ status: 1, told: message });
  };
  /** Debian's skopeo copies. */
  skopeo = async (...args: readonly string[]): Promise<void> => {
    const env = { ...process.env, ...this.env };
    const child = Bun.spawn(["skopeo", "--insecure-policy", "copy", "-q", ...args], { env, stderr: "pipe" });
    const [status, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    expect({ status, errors: status === 0 ? "" : errors }).toEqual({ status: 0, errors: "" });
  };
  /** Decrypts by `opener` what `locked` has, and expects the image as it was. */
  expectOpened = async (
    locked: string,
    keys: readonly string[],
    opener: (...args: readonly string[]) => unknown = this.copy,
  ): Promise<void> => {
    const back = this.place();
    await opener(...keys.flatMap((name) => ["--decryption-key", name]), locked, back);
    expect(layersOf(back)).toEqual(layersOf(this.plain));
  };
  stop = async (): Promise<void> => {
    await this.store.cleanup();
    rmSync(this.folder, { recursive: true, force: true });
  };
}

function pathOf(layout: string): string {
  return layout.split(":")[1] ?? "";
}

/** A blob of a layout. */
export function blobOf(layout: string, digest: string): Buffer {
  return readFileSync(join(pathOf(layout), "blobs", digest.replace(":", "/")));
}

/** The manifest of a layout's only image. */
export function manifestOf(layout: string): ImageManifest & { readonly digest: string } {
  const [root] = JSON.parse(readFileSync(join(pathOf(layout), "index.json"), "utf8")).manifests as Descriptor[];
  const digest = root?.digest ?? "";
  return { ...JSON.parse(blobOf(layout, digest).toString()), digest };
}

/** Digests and types of its layers. */
export function layersOf(layout: string) {
  return manifestOf(layout).layers.map(({ digest, mediaType }) => ({ digest, mediaType }));
}

/** The schemes that a layer's key is wrapped in. */
export function schemesOf(layout: string, layer = 0): readonly string[] {
  const names = Object.keys(manifestOf(layout).layers[layer]?.annotations ?? {});
  const begin = `${prefix}keys.`;
  return names.filter((name) => name.startsWith(begin)).map((name) => name.slice(begin.length));
}
