/** For tests: a registry's transport without a network, and an image that it may find. */
import { GalleyError } from "../../../errors.ts";
import { mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { parseReference } from "../../reference.ts";
import { fakeExchange, type Handler } from "./fake-registry.ts";
import { RegistryTransport } from "./registry.ts";

/** The image that tests ask for. */
export const reference = parseReference("registry.example/team/app:1");
/** Its manifest, as a registry sends it. */
export const manifest = { type: mediaTypes.ociManifest, content: '{"schemaVersion":2}' };
/** The descriptor of that. */
export const described = {
  mediaType: manifest.type,
  digest: digestOf(manifest.content),
  size: manifest.content.length,
};
/** A layer of it. */
export const blob = Buffer.from("0123456789".repeat(30_000));
/** And the descriptor of that. */
export const blobDescriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(blob), size: blob.length };

/** A transport on such a fake, with what it asked and how long it would have waited. */
export function transportOf(...handlers: readonly Handler[]) {
  const { exchange, seen } = fakeExchange(...handlers);
  const waits: number[] = [];
  const sleep = async (seconds: number) => void waits.push(seconds);
  const env = { HOME: "/nonexistent" };
  return { transport: new RegistryTransport({ exchange, sleep, env }), seen, waits, exchange, sleep, env };
}

/** All bytes of a stream. */
export async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The error that work fails with, as it must. */
export async function faultOf(work: Promise<unknown>): Promise<GalleyError> {
  const fault = await work.then(
    () => new Error("it did not fail"),
    (failure: unknown) => failure,
  );
  if (fault instanceof GalleyError) return fault;
  throw fault;
}

/** Answers with a status, so many times. */
export const status = (
  code: number,
  headers: Record<string, string> = {},
  times = Number.POSITIVE_INFINITY,
): Handler => {
  let left = times;
  return () => (left-- > 0 ? new Response("", { status: code, headers }) : undefined);
};
