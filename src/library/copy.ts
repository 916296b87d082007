import type { CompressionOptions } from "../image/copy/compress.ts";
import { copyImage } from "../image/copy/copy.ts";
import type { CopyOptions, CopyResult } from "../image/copy/options.ts";
import { parsePlatform } from "../image/platform.ts";
import { openDestination, openSource } from "../image/transports/open-place.ts";
import { parsePlace } from "../image/transports/place-name.ts";
import { policyFor } from "../image/trust/in-force.ts";
import { type PlaceRequest, placeOptions } from "./places.ts";

/** What of an image is copied, as what, and how the two places are reached. */
export interface CopyRequest
  extends Pick<CopyOptions, "lists" | "format" | "preserveDigests" | "onProgress" | "signal"> {
  /** `os/arch[/variant]` of the image that is taken out of a list; by default this machine's. */
  readonly platform?: string;
  /** How layers are compressed; by default as they are, or as the destination wants them. */
  readonly compression?: CompressionOptions["format"];
  /** A file of containers-policy.json(5), in place of the one that is in force: the user's own, or the host's, if there is one. */
  readonly policy?: string;
  /** Accept everything, whatever a policy says. */
  readonly insecurePolicy?: boolean;
  readonly from?: PlaceRequest;
  readonly to?: PlaceRequest;
  /** The store of both. */
  readonly store?: PlaceRequest["store"];
}

/**
 * Copies an image from one place to another, as `galley copy` does. What the destination holds already is not sent; what fails or is
 * called off leaves nothing behind. What the policy does not accept is `permission_denied`; of it only manifest and signatures are read.
 */
export async function copy(from: string, to: string, request: CopyRequest = {}): Promise<CopyResult> {
  const {
    platform,
    compression,
    from: reading = {},
    to: writing = {},
    store,
    policy,
    insecurePolicy,
    ...options
  } = request;
  const shared = {
    ...(store === undefined ? {} : { store }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const place = parsePlace(from);
  const accept = insecurePolicy === true ? undefined : await policyFor(place, process.env, policy);
  const source = await openSource(place, placeOptions({ ...shared, ...reading }));
  try {
    const destination = await openDestination(parsePlace(to), placeOptions({ ...shared, ...writing }));
    try {
      return await copyImage(source, destination, {
        ...options,
        accept,
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
