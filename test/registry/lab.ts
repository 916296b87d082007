/** A registry server in this process, and what a client does with it; the tests of its protocol share this. */
import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../src/image/digest.ts";
import { type RegistryServer, type ServerOptions, startRegistryServer } from "../../src/registry/server.ts";
import { mediaTypes } from "../../src/spec/image.ts";

/** What a request carries. */
export interface Given {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a manifest has beside its blobs. */
export interface Extra {
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A server with a storage of its own. */
export class Lab {
  readonly root = mkdtempSync(join(tmpdir(), "galley-serve-"));
  #server: RegistryServer | undefined;

  start(more: Partial<ServerOptions> = {}): Promise<RegistryServer> {
    return startRegistryServer({
      root: this.root,
      hostname: "127.0.0.1",
      port: 0,
      deletion: true,
      readOnly: false,
      ...more,
    });
  }

  /** Ends the server, if there is one, and starts another one on the same storage. */
  async restart(more?: Partial<ServerOptions>): Promise<void> {
    await this.#server?.stop();
    this.#server = await this.start(more);
  }

  async end(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Where it listens. */
  get url(): URL {
    if (this.#server === undefined) throw new Error("no server was started");
    return new URL(this.#server.url);
  }

  ask(method: string, path: string, { body, headers }: Given = {}): Promise<Response> {
    return fetch(new URL(path, this.#server?.url), {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
    });
  }

  /** Pushes a blob whole; gives its digest. */
  async pushBlob(name: string, content: string | Uint8Array): Promise<string> {
    const digest = digestOf(content);
    const response = await this.ask("POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: content });
    expect(response.status).toBe(201);
    return digest;
  }

  /** An image's manifest, after its blobs were pushed. */
  async manifestFor(name: string, content: string, extra: Extra = {}): Promise<string> {
    const descriptor = (digest: string, text: string, mediaType: string) => ({ mediaType, digest, size: text.length });
    const config = descriptor(await this.pushBlob(name, "{}"), "{}", mediaTypes.ociConfig);
    const layer = descriptor(await this.pushBlob(name, content), content, mediaTypes.ociLayer);
    return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer], ...extra });
  }

  putManifest(name: string, reference: string, body: string, mediaType: string = mediaTypes.ociManifest) {
    return this.ask("PUT", `/v2/${name}/manifests/${reference}`, { body, headers: { "content-type": mediaType } });
  }
}

/** Where an answer says that something is. */
export function location(response: Response): string {
  return response.headers.get("location") ?? "";
}

/** Status and code of a refusal, whose message must not be empty. */
export async function errorOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  expect(errors[0]?.message.length).toBeGreaterThan(0);
  return `${response.status} ${errors[0]?.code}`;
}
