import type { Platform } from "../../spec/image.ts";
import type { Retry } from "../transports/transport.ts";
import type { Signature, Signer } from "../trust/signature.ts";
import type { CompressionOptions } from "./compress.ts";
import type { Format } from "./convert.ts";
import type { KeyOpener, KeyWrapper } from "./encryption/key-wrap.ts";

/** Which images of a list are copied. */
export type ListMode =
  /** The one for {@link CopyOptions.platform}. */
  | "system"
  /** All of them, and the list. */
  | "all"
  /** The list alone: its images must be there already. */
  | "index-only";

export interface CopyOptions {
  /** Default: `system`. */
  readonly lists?: ListMode;
  /** With `system`, the machine that the image is to be for; default: this one. */
  readonly platform?: Platform;
  /** With `all`, the platforms that are kept; default: every one. */
  readonly only?: readonly Platform[];
  /** Default: the source's, or what the destination can hold. */
  readonly format?: Format | undefined;
  /** How layers are compressed; default: as they are, or as the destination wants them. */
  readonly compression?: CompressionOptions | undefined;
  /** With `all`, compressions in which each image of a list is to be there; those that it is not in are added behind the others. */
  readonly addedCompressions?: readonly CompressionOptions["format"][] | undefined;
  /** Refuse to change a document, and leave layers as they are. */
  readonly preserveDigests?: boolean;
  /** For whom layers are encrypted, and which: by number, from 0, or from -1 backwards; none named: all. */
  readonly encryption?: { readonly recipients: readonly KeyWrapper[]; readonly layers: readonly number[] } | undefined;
  /** Keys that encrypted layers are decrypted with; without any they stay encrypted. */
  readonly decryption?: readonly KeyOpener[] | undefined;
  /** Layers that are on their way at a time; default: 6. */
  readonly atOnce?: number | undefined;
  /** Why a document must not change, where that is not asked for; set by the copy itself. */
  readonly unchanged?: string;
  /** Asked about each image before anything of it but its manifest is read; what is not to be used is refused by throwing. */
  readonly accept?: Accept | undefined;
  /** Leave the source's signatures behind. */
  readonly removeSignatures?: boolean;
  /** Sign what was copied, each with its own key. */
  readonly signers?: readonly Signer[];
  /** The name that is signed; default: the destination's. */
  readonly signAs?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: CopyEvent) => void;
}

/** Decides about an image by its manifest and signatures. */
export type Accept = (image: {
  readonly manifest: Uint8Array;
  signatures(): Promise<readonly Signature[]>;
}) => Promise<void>;

/** Progress of a copy. `digest` is the source's. */
export type CopyEvent =
  /** A list's image is begun: number `position` (from 1) of `count`. */
  | { readonly kind: "image"; readonly digest: string; readonly position: number; readonly count: number }
  | {
      readonly kind: "blob";
      readonly digest: string;
      readonly what: "layer" | "config";
      readonly size: number;
      /** `skipped`: a layer that stays with its vendor. */
      readonly status: "started" | "present" | "mounted" | "copied" | "skipped";
      /** Of a layer, where it is known. */
      readonly diffId?: string | undefined;
    }
  /** Bytes of a blob that were read so far. */
  | { readonly kind: "progress"; readonly digest: string; readonly current: number; readonly size: number }
  | ({ readonly kind: "retrying"; readonly digest: string } & Retry)
  /** A copy is signed; `what` is for people. */
  | { readonly kind: "signing"; readonly what: string }
  | { readonly kind: "signatures"; readonly count: number }
  /** The image's own document is written. */
  | { readonly kind: "document"; readonly digest: string };

export interface CopyResult {
  /** Digest and media type of the image's own document at the destination. */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}
