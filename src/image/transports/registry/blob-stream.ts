import { GalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { lent } from "../../content/lent.ts";
import type { BlobOptions } from "../transport.ts";
import { type ApiRequest, type RegistryClient, waitOrThrow } from "./client.ts";
import { RegistryError } from "./faults.ts";
import type { HttpAnswer } from "./request.ts";
import { PROGRESS } from "./retry.ts";

/**
 * A blob from `offset` to its end. When the connection is cut, the next one asks for the rest (`Range`); a server that sends
 * everything again is read past what is there already.
 */
export async function* streamBlob(
  client: RegistryClient,
  api: ApiRequest,
  descriptor: Descriptor,
  options: BlobOptions = {},
): AsyncGenerator<Uint8Array> {
  let position = options.offset ?? 0;
  let reached = position;
  for (let attempt = 1; position < descriptor.size; attempt++) {
    try {
      for await (const chunk of readFrom(client, api, position, options)) {
        position += chunk.length;
        yield chunk;
      }
      if (position >= descriptor.size) return;
      throw endedEarly(api, position, descriptor.size);
    } catch (fault) {
      if (position - reached >= PROGRESS) attempt = 1;
      reached = position;
      await waitOrThrow(fault, attempt, options, client.parts);
    }
  }
}

function endedEarly(api: ApiRequest, position: number, size: number): RegistryError {
  return new RegistryError("unavailable", `the registry sent only ${position} of ${size} bytes`, {
    op: "download",
    subject: api.subject,
    transient: true,
  });
}

async function* readFrom(
  client: RegistryClient,
  api: ApiRequest,
  position: number,
  options: BlobOptions,
): AsyncGenerator<Uint8Array> {
  const answer = await askFrom(client, api, position, options);
  let superfluous = position - startOf(answer.response, api, position);
  for await (const chunk of options.lend === true ? lent(answer.body()) : answer.body()) {
    const useful = chunk.subarray(Math.min(superfluous, chunk.length));
    superfluous -= chunk.length - useful.length;
    if (useful.length > 0) yield useful;
  }
}

/** Some servers refuse each range (416) that they could leave unheeded; they are asked for the whole. */
async function askFrom(
  client: RegistryClient,
  api: ApiRequest,
  position: number,
  options: BlobOptions,
): Promise<HttpAnswer> {
  if (position > 0) {
    const headers = { ...api.headers, range: `bytes=${position}-` };
    const answer = await client.attempt({ ...api, headers }, options, [416]);
    if (answer.response.status !== 416) return answer;
    answer.discard();
  }
  return client.attempt(api, options);
}

/** Where in the blob an answer begins: status 206 says so in `Content-Range`, any other begins at the beginning. */
function startOf(response: Response, api: ApiRequest, position: number): number {
  if (response.status !== 206) return 0;
  const match = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  const start = Number(match?.[1] ?? Number.NaN);
  if (start <= position) return start;
  throw new GalleyError("unavailable", "the registry sent another part than it was asked for", {
    op: "download",
    subject: api.subject,
  });
}
