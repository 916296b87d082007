import { describe, expect, test } from "bun:test";
import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageManifest } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import type { Reference } from "../reference.ts";
import { verified } from "../verify/read.ts";
import type { Transport } from "./transport.ts";

/** A transport over a source that holds one image. */
export interface TransportSubject {
  readonly transport: Transport;
  /** Leads to the manifest of an image with at least one layer of more than 100,000 bytes. */
  readonly reference: Reference;
  /** The same repository, with a tag that does not exist. */
  readonly missing: Reference;
}

/** The contract of {@link Transport}; every implementation runs it. `subject` is asked once for each test. */
export function runTransportSuite(name: string, subject: () => Promise<TransportSubject>): void {
  describe(`${name} as a transport`, () => {
    const layerOf = async ({ transport, reference }: TransportSubject): Promise<Descriptor> => {
      const bytes = await transport.fetchManifest(reference, await transport.resolve(reference));
      const { layers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageManifest;
      const layer = layers.find(({ size }) => size > 100_000);
      if (layer === undefined) throw new Error("the subject's image has no large layer");
      return layer;
    };

    test("resolves a reference to what its manifest is", async () => {
      const { transport, reference } = await subject();
      const target = await transport.resolve(reference);
      const bytes = await transport.fetchManifest(reference, target);
      expect({ digest: digestOf(bytes), size: bytes.length }).toEqual({ digest: target.digest, size: target.size });
      expect(target.mediaType).toMatch(/manifest|index/);
    });

    test("resolves a digest to itself", async () => {
      const { transport, reference } = await subject();
      const { digest } = await transport.resolve(reference);
      expect((await transport.resolve({ ...reference, digest })).digest).toBe(digest);
    });

    test("gives blobs whole and from any offset", async () => {
      const at = await subject();
      const layer = await layerOf(at);
      const whole = await read(verified(at.transport.fetchBlob(at.reference, layer), layer));
      for (const offset of [1, 99_999, layer.size - 1, layer.size]) {
        const rest = await read(at.transport.fetchBlob(at.reference, layer, { offset }));
        expect(rest.equals(whole.subarray(offset))).toBeTrue();
      }
    });

    test("lets a reader stop", async () => {
      const at = await subject();
      const layer = await layerOf(at);
      for await (const chunk of at.transport.fetchBlob(at.reference, layer)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    });

    test("says that a tag, a manifest or a blob is not there", async () => {
      const at = await subject();
      const nothing = { mediaType: "application/octet-stream", digest: digestOf("nothing like it"), size: 15 };
      expect(await codeOf(at.transport.resolve(at.missing))).toBe("not_found");
      expect(await codeOf(at.transport.fetchManifest(at.reference, nothing))).toBe("not_found");
      expect(await codeOf(read(at.transport.fetchBlob(at.reference, nothing)))).toBe("not_found");
    });

    test("refuses a manifest that is not what its descriptor says", async () => {
      const { transport, reference } = await subject();
      const target = await transport.resolve(reference);
      expect(await codeOf(transport.fetchManifest(reference, { ...target, size: target.size + 1 }))).toBe("data_loss");
    });

    test("ends with its signal", async () => {
      const at = await subject();
      const layer = await layerOf(at);
      const controller = new AbortController();
      const reading = async () => {
        for await (const _ of at.transport.fetchBlob(at.reference, layer, { signal: controller.signal }))
          controller.abort();
      };
      await reading().catch((failure: unknown) => expect(failure).toBeInstanceOf(Error));
      expect(await codeOf(at.transport.resolve(at.reference, { signal: AbortSignal.abort() }))).toBe("canceled");
    });
  });
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no failure";
  } catch (failure) {
    if (failure instanceof GalleyError) return failure.code;
    throw failure;
  }
}
