import { type ErrorCode, GalleyError, toGalleyError } from "../../../errors.ts";
import type { IndexedLayer, LayerFiles } from "../../layers/erofs/index-layer.ts";

/** What a thread is to index: all of it can be sent to one. Descriptors are the process's, and the sender's to close. */
export interface IndexJob {
  /** Of the layer's blob, for reading. */
  readonly blob: number;
  /** Bytes of the blob. */
  readonly size: number;
  /** The digest the blob must have; `undefined` where its writer sees to that. */
  readonly check: string | undefined;
  /** Memory of the `Growth` of the blob's file. */
  readonly growth: SharedArrayBuffer;
  readonly files: LayerFiles;
  /** Of the diff ID. */
  readonly algorithm: "sha256" | "sha512";
}

/** A layer whose tar is kept: its digest in hexadecimal, and the index or why there is none. */
export type IndexedFile = { readonly digest: string } & (
  | { readonly layer: IndexedLayer }
  | { readonly refused: SentFailure }
);

/** What a thread says: how many bytes of tar it has kept so far, what came out, or why nothing did. */
export type IndexReply =
  | { readonly bytes: number }
  | { readonly done: IndexedFile }
  | { readonly stopped: true }
  | { readonly failure: SentFailure };

/** A failure as it is sent between threads, which keep no class of an error. */
export interface SentFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly op: string | undefined;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly cause: SentFailure | undefined;
}

export function send(failure: unknown): SentFailure {
  const { code, message, op, subject, hint, cause } = toGalleyError(failure, { op: "unpack" });
  return { code, message, op, subject, hint, cause: cause === undefined ? undefined : send(cause) };
}

export function receive({ code, message, op, subject, hint, cause }: SentFailure): GalleyError {
  return new GalleyError(code, message, {
    ...(op === undefined ? {} : { op }),
    ...(subject === undefined ? {} : { subject }),
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause: receive(cause) }),
  });
}
