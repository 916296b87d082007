import { Verifier } from "../../verify/verifier.ts";
import type { NewBlob } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import { type ApiRequest, type RegistryClient, waitOrThrow } from "./client.ts";
import { RegistryError } from "./faults.ts";
import { HashedBlob } from "./hashed-blob.ts";
import type { HttpAnswer } from "./request.ts";

/** Blobs up to this size, in bytes, are sent in one request; larger ones in a stream that can be continued. */
const MONOLITHIC = 1 << 20;

/** What an upload is of and where it goes. */
export interface Upload {
  readonly client: RegistryClient;
  /** `library/busybox`. */
  readonly path: string;
  /** `repository:library/busybox:pull,push`. */
  readonly scope: string;
  readonly blob: NewBlob;
  /** An upload that the registry has opened already, when it could not mount the blob. */
  readonly session?: URL | undefined;
}

/**
 * Sends a blob (distribution-spec 1.1, "Pushing blobs"). A small one goes in a single PUT. A large one, or one whose digest is
 * only known at its end, goes as a stream in a PATCH and is closed by a PUT; after a broken connection the registry is asked how
 * much it has, and the rest is sent.
 */
export async function uploadBlob(
  upload: Upload,
  options: TransportOptions = {},
): Promise<{ readonly digest: string; readonly size: number }> {
  const { expected } = upload.blob;
  if (expected !== undefined && expected.size <= MONOLITHIC) return uploadSmall(upload, expected, options);
  return uploadStream(upload, options);
}

async function uploadSmall(
  { client, blob, ...upload }: Upload,
  expected: { readonly digest: string; readonly size: number },
  options: TransportOptions,
): Promise<{ readonly digest: string; readonly size: number }> {
  const bytes = await gather(blob, expected);
  let session = upload.session;
  return client.retrying(options, async () => {
    const at = session ?? (await startUpload(client, upload, options));
    session = undefined; // A failed attempt may have used it up.
    const put = { ...requestAt(at, upload, "PUT", expected.digest), body: bytes };
    const answer = await client.attempt(put, options);
    answer.discard();
    return expected;
  });
}

async function gather(
  blob: NewBlob,
  expected: { readonly digest: string; readonly size: number },
): Promise<Uint8Array> {
  const verifier = new Verifier(expected);
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.open(0)) {
    verifier.update(chunk);
    chunks.push(chunk);
  }
  verifier.finish();
  return Buffer.concat(chunks);
}

async function uploadStream(
  { client, blob, ...upload }: Upload,
  options: TransportOptions,
): Promise<{ readonly digest: string; readonly size: number }> {
  const content = new HashedBlob(blob);
  let session = upload.session;
  let reached = 0;
  let sent = false;
  for (let attempt = 1; ; attempt++) {
    try {
      const begun = session;
      session ??= await startUpload(client, upload, options);
      const have = begun === undefined || !sent ? 0 : await uploadedBytes(client, session, upload, options);
      sent = true;
      session = await sendFrom(client, session, { ...upload, content, have }, options);
      const { digest, size } = content.finish();
      const answer = await client.attempt(requestAt(session, upload, "PUT", digest), options);
      answer.discard();
      return { digest, size };
    } catch (fault) {
      if (content.failure !== undefined) throw content.failure.reason;
      if (isLost(fault)) session = undefined;
      if (content.seen > reached) attempt = 1;
      reached = content.seen;
      await waitOrThrow(isLost(fault) ? transient(fault) : fault, attempt, options, client.parts);
      // What comes out of a conversion cannot be had a second time from its middle.
      if (blob.expected === undefined) session = undefined;
    }
  }
}

/** The registry has forgotten the upload, or holds other bytes of it than we thought: another one may succeed. */
function isLost(fault: unknown): fault is RegistryError {
  return fault instanceof RegistryError && (fault.status === 404 || fault.status === 416);
}

function transient(fault: RegistryError): RegistryError {
  const { op = "upload", subject = "", hint } = fault;
  return new RegistryError(fault.code, fault.message, {
    ...{ op, subject, transient: true, ...(hint === undefined ? {} : { hint }) },
    ...(fault.status === undefined ? {} : { status: fault.status }),
  });
}

type Place = Pick<Upload, "path" | "scope">;

/** Opens an upload and gives its URL. */
export async function startUpload(client: RegistryClient, place: Place, options: TransportOptions): Promise<URL> {
  const api = { ...pushRequest(place), method: "POST", path: `${place.path}/blobs/uploads/` } as const;
  const answer = await client.attempt({ ...api, body: "" }, options);
  answer.discard();
  return locationOf(client, answer, api);
}

/** Gives up an upload to which nothing will be sent. A registry that knows no such request forgets it some time. */
export async function cancelUpload(
  { client, ...place }: Place & Pick<Upload, "client">,
  session: URL,
  options: TransportOptions,
): Promise<void> {
  try {
    (await client.attempt({ ...pushRequest(place), method: "DELETE", path: session }, options)).discard();
  } catch (fault) {
    if (!(fault instanceof RegistryError)) throw fault;
  }
}

function pushRequest({ path, scope }: Place): Omit<ApiRequest, "method" | "path"> {
  return { op: "upload", subject: path, scope, own: true };
}

function requestAt(session: URL, place: Place, method: "PUT", digest: string): ApiRequest {
  const url = new URL(session);
  url.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  return { ...pushRequest(place), method, path: url, headers, subject: digest, body: "" };
}

/** Where an answer says that an upload goes on; relative to the place that answered (RFC 9110 section 10.2.2). */
export function locationOf(
  client: RegistryClient,
  { response, url }: HttpAnswer,
  asked: { readonly subject: string },
): URL {
  const location = response.headers.get("location");
  if (location !== null && URL.canParse(location, url.href)) return client.located(location, url);
  throw new RegistryError("unavailable", "the registry does not say where to send the content", {
    op: "upload",
    subject: asked.subject,
  });
}

interface Sending extends Place {
  readonly content: HashedBlob;
  /** Bytes that the registry has. */
  readonly have: number;
}

async function sendFrom(
  client: RegistryClient,
  session: URL,
  { content, have, ...place }: Sending,
  options: TransportOptions,
): Promise<URL> {
  const { size } = content;
  if (size !== undefined && have >= size) return session;
  const headers = {
    "content-type": "application/octet-stream",
    ...(size === undefined ? {} : { "content-length": String(size - have) }),
    ...(have === 0 || size === undefined ? {} : { "content-range": `${have}-${size - 1}` }),
  };
  const body = () => content.read(have);
  const answer = await client.attempt(
    { ...pushRequest(place), method: "PATCH", path: session, headers, body },
    options,
  );
  answer.discard();
  return locationOf(client, answer, { subject: place.path });
}

/** How much of an upload the registry has: the answer's `Range` is `0-LAST`, and `0-0` where there is nothing. */
async function uploadedBytes(
  client: RegistryClient,
  session: URL,
  place: Place,
  options: TransportOptions,
): Promise<number> {
  const answer = await client.attempt({ ...pushRequest(place), method: "GET", path: session }, options);
  answer.discard();
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(answer.response.headers.get("range") ?? "")?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}
