import { GalleyError } from "../../../errors.ts";
import type { BlobPart, TransportOptions } from "../transport.ts";
import { type ApiRequest, type RegistryClient, waitOrThrow } from "./client.ts";
import { RegistryError } from "./faults.ts";
import { isMultipart, multipart, type Placed, rangeOf } from "./multipart.ts";
import type { HttpAnswer } from "./request.ts";
import { PROGRESS } from "./retry.ts";
import { outOfOrder, WantedParts } from "./wanted-parts.ts";

/** Parts that are asked for at a time: a header of some 2,500 bytes, which every server takes. */
const AT_ONCE = 128;

/** Where a server gives one part an answer, holes of so many bytes are fetched rather than asked around. */
const HOLE = 32 << 10;

/** Statuses of servers that do not want several parts at once. */
const TOO_MANY = [400, 413, 416, 431, 501];

/**
 * Parts of a blob, many with each request. A server that gives but one with each is asked so; one that gives the whole blob is none to ask for
 * parts (`unimplemented`). When the connection is cut, the next one asks for the rest.
 */
export async function* streamParts(
  client: RegistryClient,
  api: ApiRequest,
  parts: readonly BlobPart[],
  options: TransportOptions = {},
): AsyncGenerator<Uint8Array> {
  const wanted = new WantedParts(parts);
  let several = true;
  for (let attempt = 1; !wanted.isEmpty; attempt++) {
    const asked = several ? wanted.next(AT_ONCE) : wanted.nextNear(HOLE);
    const before = wanted.missing;
    try {
      yield* readParts(client, api, asked, wanted, options);
      if (wanted.missesAny(asked)) {
        // Whoever gives less than it was asked for may be one that gives one part at a time.
        if (!several || asked.length === 1) throw endedEarly(api);
        several = false;
      }
      attempt = 0;
    } catch (fault) {
      const isRefused = fault instanceof RegistryError && TOO_MANY.includes(fault.status ?? 0);
      if (several && asked.length > 1 && (isRefused || fault instanceof NotServed)) {
        several = false;
        continue;
      }
      if (before - wanted.missing >= PROGRESS) attempt = 1;
      await waitOrThrow(fault, attempt, options, client.parts);
    }
  }
}

/** A server gives the whole blob, whatever is asked for. */
class NotServed extends GalleyError {}

function notServed(api: ApiRequest): NotServed {
  return new NotServed("unimplemented", "the registry gives no parts of a blob", {
    op: "download",
    subject: api.subject,
  });
}

function endedEarly(api: ApiRequest): RegistryError {
  return new RegistryError("unavailable", "the registry sent less of the blob than it was asked for", {
    op: "download",
    subject: api.subject,
    transient: true,
  });
}

async function* readParts(
  client: RegistryClient,
  api: ApiRequest,
  asked: readonly BlobPart[],
  wanted: WantedParts,
  options: TransportOptions,
): AsyncGenerator<Uint8Array> {
  const range = `bytes=${asked.map(({ start, end }) => `${start}-${end - 1}`).join(",")}`;
  const answer = await client.attempt({ ...api, headers: { ...api.headers, range } }, options);
  let most = (asked.at(-1)?.end ?? 0) - (asked[0]?.start ?? 0);
  for await (const { position, bytes } of placed(answer, api)) {
    most -= bytes.length;
    if (most < 0) throw outOfOrder();
    yield* wanted.take(position, bytes);
  }
}

function placed(answer: HttpAnswer, api: ApiRequest): AsyncIterable<Placed> {
  const { status, headers } = answer.response;
  if (status === 206 && isMultipart(headers.get("content-type"))) return multipart(answer.body());
  const range = status === 206 ? rangeOf(headers.get("content-range")) : undefined;
  if (range !== undefined) return from(range.start, answer.body());
  answer.discard();
  throw notServed(api);
}

async function* from(start: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Placed> {
  let position = start;
  for await (const bytes of body) {
    yield { position, bytes };
    position += bytes.length;
  }
}
