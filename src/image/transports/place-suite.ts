import { describe, expect, test } from "bun:test";
import { GalleyError } from "../../errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import { verified } from "../verify/read.ts";
import type { Destination, Document, NewBlob, Source } from "./place.ts";

/** One transport, asked for places that nobody used before. */
export interface PlaceSubject {
  destination(): Promise<Destination>;
  /** The place that the last destination wrote to. */
  source(): Promise<Source>;
}

const layerBytes = Buffer.from("not a real layer, but a large one\n".repeat(10_000));
const layerBlob = { digest: digestOf(layerBytes), size: layerBytes.length };
const configBytes = Buffer.from(
  JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [layerBlob.digest] } }),
);
const configBlob = { digest: digestOf(configBytes), size: configBytes.length };

/** An image in a format that the destination can hold. */
function manifestFor({ traits }: Destination): Document {
  const docker = traits.manifests !== undefined && !traits.manifests.includes(mediaTypes.ociManifest);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: { mediaType: docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, ...configBlob },
    layers: [{ mediaType: docker ? mediaTypes.dockerLayer : mediaTypes.ociLayer, ...layerBlob }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { bytes, descriptor: { mediaType: manifest.mediaType ?? "", digest: digestOf(bytes), size: bytes.length } };
}

async function* pieces(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

function newBlob(bytes: Uint8Array, expected?: { readonly digest: string; readonly size: number }): NewBlob {
  return { mediaType: mediaTypes.ociLayer, expected, open: (offset) => pieces(bytes, offset) };
}

async function write(destination: Destination): Promise<Document> {
  const document = manifestFor(destination);
  await destination.writeBlob(newBlob(layerBytes, layerBlob));
  await destination.writeBlob(newBlob(configBytes, configBlob));
  await destination.writeDocument(document, "root");
  await destination.commit();
  await destination.close();
  return document;
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

/** The contract of {@link Source} and {@link Destination}; every transport runs it. */
export function runPlaceSuite(name: string, subject: () => Promise<PlaceSubject>): void {
  const written = async () => {
    const at = await subject();
    const document = await write(await at.destination());
    const source = await at.source();
    const manifest = JSON.parse(Buffer.from((await source.document()).bytes).toString("utf8")) as ImageManifest;
    return { source, document, layer: manifest.layers[0] as Descriptor, config: manifest.config };
  };

  describe(`${name} as a place`, () => {
    test("gives back what it was given", async () => {
      const { source, layer, config } = await written();
      const { descriptor, bytes } = await source.document();
      expect({ digest: digestOf(bytes), size: bytes.length }).toEqual({
        digest: descriptor.digest,
        size: descriptor.size,
      });
      expect((await read(verified(source.blob(layer), layer))).equals(layerBytes)).toBeTrue();
      expect((await read(verified(source.blob(config), config))).equals(configBytes)).toBeTrue();
      await source.close();
    });

    test("gives blobs from any offset", async () => {
      const { source, layer } = await written();
      for (const offset of [0, 1, 65_536, layer.size - 1, layer.size]) {
        expect((await read(source.blob(layer, { offset }))).equals(layerBytes.subarray(offset))).toBeTrue();
      }
      await source.close();
    });

    test("says that a document or a blob is not there", async () => {
      const { source } = await written();
      const nothing = { mediaType: mediaTypes.ociManifest, digest: digestOf("nothing like it"), size: 15 };
      expect(await codeOf(source.document(nothing))).toBe("not_found");
      expect(await codeOf(read(source.blob(nothing)))).toBe("not_found");
      await source.close();
    });

    test("computes the digest of a blob that comes without one", async () => {
      const destination = await (await subject()).destination();
      expect(await destination.writeBlob(newBlob(layerBytes))).toEqual(layerBlob);
      await destination.close();
    });

    test("takes several blobs at once", async () => {
      const destination = await (await subject()).destination();
      const blobs = [1, 2, 3, 4].map((n) => Buffer.concat([layerBytes, Buffer.of(n)]));
      const results = await Promise.all(
        blobs.map((bytes) => destination.writeBlob(newBlob(bytes, { digest: digestOf(bytes), size: bytes.length }))),
      );
      expect(results.map(({ digest }) => digest)).toEqual(blobs.map((bytes) => digestOf(bytes)));
      await destination.close();
    });

    test("refuses a blob that is not what it should be: altered, shorter, longer", async () => {
      const altered = Buffer.from(layerBytes);
      altered[100] = 0;
      for (const bytes of [altered, layerBytes.subarray(1), Buffer.concat([layerBytes, Buffer.of(0)])]) {
        const destination = await (await subject()).destination();
        expect(await codeOf(destination.writeBlob(newBlob(bytes, layerBlob)))).toBe("data_loss");
        await destination.close();
      }
    });

    test("shows nothing before the commit", async () => {
      const at = await subject();
      const destination = await at.destination();
      await destination.writeBlob(newBlob(layerBytes, layerBlob));
      await destination.writeBlob(newBlob(configBytes, configBlob));
      await destination.close();
      expect(await codeOf(at.source().then((source) => source.document()))).toBe("not_found");
    });
  });
}
