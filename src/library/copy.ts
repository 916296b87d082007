import type { CompressionOptions } from "../image/copy/compress.ts";
import { copyImage } from "../image/copy/copy.ts";
import type { CopyOptions, CopyResult } from "../image/copy/options.ts";
import { parsePlatform } from "../image/platform.ts";
import { openDestination, openSource } from "../image/transports/open-place.ts";
import { parsePlace } from "../image/transports/place-name.ts";
import { type PlaceRequest, placeOptions } from "./places.ts";

/** What of an image is copied, as what, and how the two places are reached. */
export interface CopyRequest
  extends Pick<CopyOptions, "lists" | "format" | "preserveDigests" | "onProgress" | "signal"> {
  /** `os/arch[/variant]` of the image that is taken out of a list; by default this machine's. */
  readonly platform?: string;
  /** How layers are compressed; by default as they are, or as the destination wants them. */
  readonly compression?: CompressionOptions["format"];
  readonly from?: PlaceRequest;
  readonly to?: PlaceRequest;
  /** The store of both. */
  readonly store?: PlaceRequest["store"];
}

/**
 * Copies an image from one place to another, as `galley copy` does. What the destination holds already is not sent; what fails or is
 * called off leaves nothing behind.
 */
export async function copy(from: string, to: string, request: CopyRequest = {}): Promise<CopyResult> {
  const { platform, compression, from: reading = {}, to: writing = {}, store, ...options } = request;
  const shared = {
    ...(store === undefined ? {} : { store }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const source = await openSource(parsePlace(from), placeOptions({ ...shared, ...reading }));
  try {
    const destination = await openDestination(parsePlace(to), placeOptions({ ...shared, ...writing }));
    try {
      return await copyImage(source, destination, {
        ...options,
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(compression === undefined ? {} : { compression: { format: compression } }),
      });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}
