import { GalleyError } from "../../errors.ts";
import type { ImageConfig } from "../../spec/image.ts";
import { hostPlatform } from "../platform.ts";
import type { ImageRecord, ImageSource, Images, LayerSource } from "../types.ts";

/** What people may call the image that comes with Galley. */
const NAMES = new Set(["busybox", "library/busybox", "docker.io/busybox", "docker.io/library/busybox"]);

/** Whether a reference means the embedded image: busybox without a tag, or its tag `latest`. */
export function isEmbedded(reference: string): boolean {
  return NAMES.has(reference.endsWith(":latest") ? reference.slice(0, -":latest".length) : reference);
}

/**
 * The embedded busybox image, made and imported if the store has no image of that name. `undefined` where `reference` means another
 * image; then nothing was done. It never asks a registry, so callers that must (`--pull always`, `pull`) do not call it.
 *
 * `failed_precondition` where there is no static busybox to make it from.
 * @param busyboxBinary gives the bytes of a static busybox; called only if the image is to be made
 * @param onImport called before the image is made, which takes some tenths of a second, once in a store's life
 */
export async function ensureEmbedded(
  reference: string,
  images: Images,
  busyboxBinary: () => Uint8Array | undefined,
  onImport?: () => void,
): Promise<ImageRecord | undefined> {
  if (!isEmbedded(reference)) return undefined;
  const present = images.find(reference);
  if (present !== undefined) return present;
  const binary = busyboxBinary();
  if (binary === undefined) throw missing();
  onImport?.();
  return images.importImage(await busyboxImage(binary));
}

function missing(): GalleyError {
  return new GalleyError("failed_precondition", "there is no static busybox to make the image from", {
    op: "make the busybox image",
    hint: "apt-get install busybox-static",
  });
}

/** The image, which is the same whenever it is made from the same binary. */
export async function busyboxImage(
  binary: Uint8Array,
): Promise<ImageSource & { readonly layers: readonly LayerSource[] }> {
  const { EMBEDDED_TIME, appletsOf, busyboxTree } = await import("./busybox-tree.ts");
  const { writeTar } = await import("../layers/tar/write-tar.ts");
  const members = busyboxTree(binary, appletsOf(binary));
  const open = () => writeTar(members);
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of open()) hasher.update(chunk);
  const diffId = `sha256:${hasher.digest("hex")}`;
  const created = new Date(EMBEDDED_TIME * 1000).toISOString();
  return { config: configOf(diffId, created), layers: [{ diffId, open }], names: ["busybox:latest"] };
}

function configOf(diffId: string, created: string): ImageConfig {
  return {
    ...hostPlatform(),
    created,
    config: { Cmd: ["sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [
      { created, created_by: "busybox-static and its commands as hard links" },
      { created, created_by: 'CMD ["sh"]', empty_layer: true },
    ],
  };
}
