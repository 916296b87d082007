import { GalleyError } from "../errors.ts";
import { tryParseDigest } from "../image/digest.ts";
import { parseReference, type Reference } from "../image/reference.ts";
import { RegistryClients } from "../image/transports/registry/clients.ts";
import { RegistryTransport } from "../image/transports/registry/registry.ts";
import { Repository } from "../image/transports/registry/repository.ts";
import type { Descriptor } from "../spec/image.ts";

/** Whether what a manifest is asked for by is its digest. */
export function isDigestReference(reference: string): boolean {
  return tryParseDigest(reference) !== undefined;
}

/** A registry that is read on behalf of others, with the logins and certificates of who runs this server. */
export class Upstream {
  readonly #clients: RegistryClients;
  readonly #transport: RegistryTransport;
  readonly #host: string;

  /** @param address `https://HOST[:PORT]`, or with `http` for one without TLS */
  constructor(address: string) {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if ((url?.protocol !== "http:" && url?.protocol !== "https:") || url.pathname !== "/") {
      throw new GalleyError("invalid_argument", "it is not the address of a registry: https://HOST[:PORT]", {
        op: "mirror",
        subject: address,
      });
    }
    // Docker Hub has one name in references and another one on the network.
    this.#host = url.host === "registry-1.docker.io" ? "docker.io" : url.host;
    this.#clients = new RegistryClients({ tlsVerify: url.protocol === "https:" });
    this.#transport = new RegistryTransport(this.#clients);
  }

  #reference(name: string, what: string): Reference {
    return parseReference(`${this.#host}/${name}${isDigestReference(what) ? "@" : ":"}${what}`);
  }

  /** What a tag or digest leads to now. */
  resolve(name: string, what: string): Promise<Descriptor> {
    return this.#transport.resolve(this.#reference(name, what));
  }

  /** A manifest's bytes, checked. */
  manifest(name: string, descriptor: Descriptor): Promise<Uint8Array> {
    return this.#transport.fetchManifest(this.#reference(name, descriptor.digest), descriptor);
  }

  /** Bytes of a blob, or `undefined` where it is not there. */
  async blobSize(name: string, digest: string): Promise<number | undefined> {
    const client = await this.#clients.of(this.#reference(name, digest));
    const scope = `repository:${name}:pull`;
    const path = `${name}/blobs/${digest}`;
    const ask = (method: "HEAD" | "GET", accept: readonly number[]) =>
      client.retrying({}, () =>
        client.attempt({ method, path, op: "look for", subject: digest, scope, allowDowngrade: true }, {}, accept),
      );
    const head = await ask("HEAD", [404, 405, 501]);
    head.discard();
    const answer = head.response.ok || head.response.status === 404 ? head : await ask("GET", [404]);
    answer.discard();
    const size = answer.response.headers.get("content-length");
    return answer.response.status === 404 || size === null ? undefined : Number(size);
  }

  /** A blob from `offset` to its end, unchecked; each chunk is good until the next is asked for. */
  blob(
    name: string,
    blob: { readonly digest: string; readonly size: number },
    offset: number,
  ): AsyncIterable<Uint8Array> {
    const descriptor = { ...blob, mediaType: "application/octet-stream" };
    return this.#transport.fetchBlob(this.#reference(name, blob.digest), descriptor, { offset, lend: true });
  }

  /** All tags of a repository. */
  tags(name: string): Promise<readonly string[]> {
    return new Repository(this.#clients, this.#reference(name, "latest")).tags();
  }
}
