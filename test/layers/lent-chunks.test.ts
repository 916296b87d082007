import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentStore } from "../../src/image/content/content-store.ts";
import { Ingest } from "../../src/image/content/ingest.ts";
import { digestOf } from "../../src/image/digest.ts";
import { decompress } from "../../src/image/pull/decompress.ts";
import { fillWithIndex } from "../../src/image/snapshot/apply-as-index.ts";
import { file, tar } from "../harness/tar.ts";

test("a layer that comes without compression, in chunks that are lent, is kept as it came", async () => {
  const noise = Array.from({ length: 320 }, () => crypto.getRandomValues(new Uint8Array(1 << 16)));
  const archive = tar([file("noise", Buffer.concat(noise))]);
  const root = mkdtempSync(join(tmpdir(), "galley-index-"));
  try {
    const target = { digest: digestOf(archive), size: archive.length };
    const ingest = await Ingest.open(new ContentStore(join(root, "content")), target);
    await ingest.write(archive);
    await ingest.commit();
    mkdirSync(join(root, "layer"));
    const source = decompress(ingest.follow({ lend: true }), { lend: true });
    const options = { algorithm: "sha256", onBytes: () => undefined } as const;
    const { tarBytes = 0 } = await fillWithIndex(target.digest, false)(join(root, "layer"), source, options);
    expect(tarBytes).toBe(archive.length);
    expect(readFileSync(join(root, "layer/layer.tar")).subarray(0, tarBytes).equals(archive)).toBeTrue();
  } finally {
    rmSync(root, { recursive: true });
  }
});
