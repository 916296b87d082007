import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ImageManifest } from "../src/spec/image.ts";
import { startRegistry } from "../test/harness/registry.ts";
import { timed } from "./measurement.ts";

/** The largest layer of an image in a registry without TLS, in a file. */
export class LargestLayer implements Disposable {
  private constructor(
    private readonly folder: string,
    private readonly file: string,
  ) {}

  /** @param image `HOST/NAME:TAG` */
  static async of(image: string): Promise<LargestLayer> {
    const [, host = "", name = "", tag = ""] = /^([^/]+)\/(.+):([^:]+)$/.exec(image) ?? [];
    const at = `http://${host}/v2/${name}`;
    const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    const manifest = (await (await fetch(`${at}/manifests/${tag}`, { headers: { accept } })).json()) as ImageManifest;
    const [largest] = manifest.layers.toSorted((a, b) => b.size - a.size);
    const folder = mkdtempSync("/var/tmp/galley-bench-layer-");
    const file = join(folder, "layer");
    await Bun.write(file, await fetch(`${at}/blobs/${largest?.digest}`));
    return new LargestLayer(folder, file);
  }

  /** The time in milliseconds that curl needs to send it to a registry that is new. */
  async upload(): Promise<number> {
    const registry = await startRegistry();
    try {
      const begun = await fetch(`http://${registry.host}/v2/alone/blobs/uploads/`, { method: "POST" });
      const type = ["-H", "content-type: application/octet-stream"];
      return timed(["curl", "-sf", "-X", "PATCH", ...type, "-T", this.file, begun.headers.get("location") ?? ""]);
    } finally {
      await registry.stop();
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
