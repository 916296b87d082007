import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { GalleyError, toGalleyError } from "../../../../errors.ts";
import { writeFileAtomic } from "../../../../state/atomic-file.ts";
import { parseDigest } from "../../../digest.ts";
import {
  decodeSignature,
  encodeSignature,
  MAX_SIGNATURE,
  MAX_SIGNATURES,
  type Signature,
} from "../../../trust/signature.ts";
import { readCapped } from "../../../verify/read.ts";
import type { TransportOptions } from "../../transport.ts";
import type { Exchange } from "../connections.ts";
import { answerFault } from "../faults.ts";
import { send } from "../request.ts";

/**
 * Signatures beside a registry (containers/image docs/signature-protocols.md): `BASE/REPOSITORY@ALGORITHM=HEX/signature-N`, counted from 1 without
 * gaps, as files or from a web server.
 * @param base a URL without a slash at its end
 */
export class Lookaside {
  constructor(
    private readonly base: string,
    private readonly repository: string,
    private readonly exchange: Exchange,
  ) {}

  #url(digest: string, position: number): URL {
    const { algorithm, hex } = parseDigest(digest);
    return new URL(`${this.base}/${this.repository}@${algorithm}=${hex}/signature-${position}`);
  }

  /** All signatures of a manifest. */
  async read(digest: string, options: TransportOptions = {}): Promise<readonly Signature[]> {
    const found: Signature[] = [];
    for (let position = 1; ; position++) {
      const url = this.#url(digest, position);
      const bytes = url.protocol === "file:" ? readLocal(url) : await this.#fetch(url, options);
      if (bytes === undefined) return found;
      if (position > MAX_SIGNATURES) throw tooMany(url);
      found.push(decodeSignature(bytes, url.href));
    }
  }

  async #fetch(url: URL, { signal }: TransportOptions): Promise<Uint8Array | undefined> {
    const answer = await send(this.exchange, { method: "GET", url, signal });
    if (answer.response.status === 404) {
      answer.discard();
      return undefined;
    }
    if (!answer.response.ok) throw await answerFault(answer, { op: "read signature", subject: url.href });
    return readCapped(answer.body(), MAX_SIGNATURE, url.href);
  }

  /** Replaces the signatures of a manifest. */
  write(digest: string, signatures: readonly Signature[]): void {
    for (const [at, signature] of signatures.entries()) {
      const path = this.#path(digest, at + 1);
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
        writeFileAtomic(path, encodeSignature(signature), { mode: 0o644 });
      } catch (failure) {
        throw toGalleyError(failure, { op: "write signature", subject: path });
      }
    }
    // The first gap ends the list.
    rmSync(this.#path(digest, signatures.length + 1), { force: true });
  }

  #path(digest: string, position: number): string {
    const url = this.#url(digest, position);
    if (url.protocol === "file:") return fileURLToPath(url);
    const kind = url.protocol.slice(0, -1);
    throw new GalleyError("failed_precondition", `Writing directly to a ${kind} lookaside is not supported`, {
      op: "write signature",
      subject: url.href,
      hint: "configure a lookaside-staging: location in registries.d, or leave signatures out with --remove-signatures",
    });
  }
}

function readLocal(url: URL): Uint8Array | undefined {
  try {
    return readFileSync(fileURLToPath(url));
  } catch (failure) {
    const fault = toGalleyError(failure, { op: "read signature", subject: url.pathname });
    if (fault.code === "not_found") return undefined;
    throw fault;
  }
}

function tooMany(url: URL): GalleyError {
  return new GalleyError("data_loss", `there are more than ${MAX_SIGNATURES} signatures`, {
    op: "read signature",
    subject: url.href,
  });
}
