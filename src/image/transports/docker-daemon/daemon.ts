import { GalleyError, toGalleyError } from "../../../errors.ts";
import { canonicalName, familiarName, type Reference } from "../../reference.ts";
import { readCapped } from "../../verify/read.ts";
import { ArchiveSource, archivedImages, selectImage } from "../docker-archive/archive-source.ts";
import { ArchiveWriter } from "../docker-archive/archive-writer.ts";
import { ArchiveFiles, type ArchiveOptions } from "../files/archive-files.ts";
import { pipeOutput } from "../files/output.ts";
import type { Destination, Source } from "../place.ts";

/** Where a Docker daemon listens by default. */
const DEFAULT_HOST = "unix:///var/run/docker.sock";

/** Bytes of an answer that is no image. */
const MAX_ANSWER = 4 << 20;

export interface DaemonOptions extends ArchiveOptions {
  /** `unix:///PATH`, `tcp://HOST:PORT` (by TLS; in DOCKER_HOST if DOCKER_TLS_VERIFY asks for it), `http://HOST:PORT`; default: DOCKER_HOST, or the usual socket. */
  readonly host?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** An image of a Docker daemon, which gives it as an archive (Engine API, "Export an image"). */
export async function daemonSource(
  image: { readonly reference: Reference } | { readonly id: string },
  options: DaemonOptions = {},
): Promise<Source> {
  const word = "id" in image ? image.id : familiarName(image.reference);
  const name = `docker-daemon:${"id" in image ? image.id : canonicalName(image.reference)}`;
  const response = await ask(options, `/images/${encodeURIComponent(word)}/get`, { method: "GET" }, name);
  if (!response.ok) throw await refusal(response, name, "export");
  const files = await ArchiveFiles.ofStream(response.body ?? empty(), name, options);
  try {
    const images = await archivedImages(files);
    return new ArchiveSource(name, files, selectImage(files, images, images.length === 1 ? undefined : { tag: word }));
  } catch (failure) {
    await files.close();
    throw failure;
  }
}

async function* empty(): AsyncGenerator<Uint8Array> {}

/** An image that a Docker daemon is given as an archive while it is made (Engine API, "Import images"). */
export function daemonDestination(reference: Reference, options: DaemonOptions = {}): Destination {
  const name = `docker-daemon:${canonicalName(reference)}`;
  const output = pipeOutput();
  const writer = new ArchiveWriter(name, output, options.scratch);
  const body = streamOf(output.content);
  const headers = { "content-type": "application/x-tar" };
  const loading = ask(options, "/images/load?quiet=1", { method: "POST", headers, body }, name);
  loading.catch(() => void output.close()); // Writers must not wait for somebody who left.
  const inner = writer.image([familiarName(reference)], true);
  return {
    name,
    reference,
    traits: inner.traits,
    reuse: (blob, source) => inner.reuse(blob, source),
    writeBlob: (blob, given) => inner.writeBlob(blob, given),
    writeDocument: (document, role) => inner.writeDocument(document, role),
    async commit() {
      await inner.commit();
      await loaded(await loading, name);
    },
    close: () => inner.close(),
  };
}

function streamOf(content: AsyncGenerator<Uint8Array>): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await content.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await content.return(undefined);
    },
  });
}

/** The daemon answers with status 200 before it is done: what went wrong stands in one of the answer's lines. */
async function loaded(response: Response, name: string): Promise<void> {
  if (!response.ok) throw await refusal(response, name, "load");
  for (const line of (await textOf(response, name)).split("\n")) {
    const error = parsed(line).error;
    if (typeof error === "string") throw new GalleyError("unknown", error, { op: "load", subject: name });
  }
}

function parsed(line: string): { readonly error?: unknown; readonly message?: unknown } {
  try {
    return (JSON.parse(line) ?? {}) as { error?: unknown; message?: unknown };
  } catch {
    return {};
  }
}

async function textOf(response: Response, name: string): Promise<string> {
  const body = response.body ?? empty();
  return Buffer.from(await readCapped(body, MAX_ANSWER, name)).toString("utf8");
}

async function refusal(response: Response, name: string, op: string): Promise<GalleyError> {
  const message = parsed(await textOf(response, name)).message;
  const text = typeof message === "string" ? message : `the daemon answered ${response.status}`;
  return new GalleyError(response.status === 404 ? "not_found" : "unknown", text, { op, subject: name });
}

async function ask(options: DaemonOptions, path: string, init: BunFetchRequestInit, name: string): Promise<Response> {
  const { signal } = options;
  const host = hostOf(options);
  const { base, unix } = endpoint(host);
  const given = { ...init, ...(unix === undefined ? {} : { unix }), ...(signal === undefined ? {} : { signal }) };
  try {
    return await fetch(`${base}${path}`, given as BunFetchRequestInit);
  } catch (failure) {
    if (failure instanceof GalleyError) throw failure;
    throw new GalleyError("unavailable", "the Docker daemon cannot be reached", {
      ...{ op: "connect", subject: name, cause: toGalleyError(failure) },
      hint: `is it running, and listening at ${host}?`,
    });
  }
}

/** The flag, which skopeo has, or DOCKER_HOST as docker reads it: there `tcp:` is without TLS where DOCKER_TLS_VERIFY does not ask for it. */
function hostOf({ host, env }: DaemonOptions): string {
  if (host !== undefined) return host;
  const given = env?.DOCKER_HOST || DEFAULT_HOST;
  return env?.DOCKER_TLS_VERIFY ? given : given.replace(/^tcp:/, "http:");
}

function endpoint(host: string): { readonly base: string; readonly unix?: string } {
  if (host.startsWith("unix://")) return { base: "http://docker", unix: host.slice("unix://".length) };
  const address = /^(tcp|http|https):\/\/([^/]+)\/?$/.exec(host);
  if (address !== null) return { base: `${address[1] === "http" ? "http" : "https"}://${address[2]}` };
  throw new GalleyError("invalid_argument", "not an address of a Docker daemon", {
    op: "connect",
    subject: JSON.stringify(host),
    hint: "write it as unix:///PATH, tcp://HOST:PORT or http://HOST:PORT",
  });
}
