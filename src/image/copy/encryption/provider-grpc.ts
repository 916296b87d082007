import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { type ErrorCode, GalleyError, grpcStatus } from "../../../errors.ts";
import { MAX_ANSWER, type ProviderTls } from "./provider-config.ts";

const SERVICE = "/keyprovider.KeyProviderService/";

/**
 * Calls a key provider over gRPC (ocicrypt's utils/keyprovider/keyprovider.proto: both messages have one field, bytes of JSON).
 * @param address `HOST:PORT`, also behind `dns:///` or `passthrough:///`, or `unix:PATH`
 */
export async function callProvider(
  address: string,
  tls: ProviderTls | undefined,
  method: "WrapKey" | "UnWrapKey",
  text: Uint8Array,
): Promise<Uint8Array> {
  const session = open(address, tls);
  try {
    return firstField(await unary(session, `${SERVICE}${method}`, field(text)));
  } finally {
    session.close();
  }
}

function open(address: string, tls: ProviderTls | undefined): ClientHttp2Session {
  const path = /^unix:(?:\/\/)?(.+)$/.exec(address)?.[1];
  if (path !== undefined) return connectHttp2("http://localhost", { createConnection: () => connectSocket({ path }) });
  const host = address.replace(/^(dns|passthrough):\/{0,3}/, "");
  return tls === undefined ? connectHttp2(`http://${host}`) : connectHttp2(`https://${host}`, tlsOptions(tls));
}

function tlsOptions(tls: ProviderTls) {
  const file = (name: "root-ca-file" | "cert-file" | "key-file") => {
    const path = tls[name] ?? "";
    return path === "" ? undefined : pem(path);
  };
  const [ca, cert, key] = [file("root-ca-file"), file("cert-file"), file("key-file")];
  const name = tls["server-name"] ?? "";
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(name === "" ? {} : { servername: name }),
    rejectUnauthorized: tls["insecure-skip-verify"] !== true,
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw failed("invalid_argument", "failed to load certificates or keys", cause);
  }
}

/** One request and one answer; each is a byte (not compressed), its length in four, and the message (gRPC over HTTP/2). */
function unary(session: ClientHttp2Session, path: string, message: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(cause instanceof GalleyError ? cause : failed("unavailable", "the connection failed", cause));
    session.on("error", fail);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const [chunks, said] = [[] as Buffer[], {} as Record<string, unknown>];
    let length = 0;
    stream.on("error", fail);
    stream.on("response", (headers) => Object.assign(said, headers));
    stream.on("trailers", (trailers) => Object.assign(said, trailers));
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_ANSWER + HEAD) chunks.push(chunk);
      else stream.destroy(failed("resource_exhausted", `its answer is larger than ${MAX_ANSWER} bytes`));
    });
    stream.on("close", () => {
      const answer = Buffer.concat(chunks);
      const refusal = refusalOf(said) ?? (isWhole(answer) ? undefined : notWhole());
      if (refusal === undefined) resolve(answer.subarray(HEAD));
      else reject(refusal);
    });
    stream.end(Buffer.concat([Uint8Array.of(0), uint32(message.length), message]));
  });
}

function refusalOf(said: Readonly<Record<string, unknown>>): GalleyError | undefined {
  if (said["grpc-status"] === "0") return undefined;
  if (said["grpc-status"] === undefined) return failed("unavailable", `HTTP status ${said[":status"] ?? "none"}`);
  const status = Number(said["grpc-status"]);
  const code = (Object.keys(grpcStatus) as ErrorCode[]).find((name) => grpcStatus[name] === status) ?? "unknown";
  return failed(code, `code = ${code} desc = ${textOf(String(said["grpc-message"] ?? ""))}`);
}

/** A message comes with percent signs (gRPC over HTTP/2, "Status-Message"); one that is wrong is shown as it is. */
function textOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function failed(code: ErrorCode, what: string, cause?: unknown): GalleyError {
  return new GalleyError(code, `Error from grpc method: ${what}`, cause === undefined ? {} : { cause });
}

/** Bytes before a message: whether it is compressed, and its length. */
const HEAD = 5;

function isWhole(bytes: Buffer): boolean {
  return bytes.length >= HEAD && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - HEAD;
}

function notWhole(): GalleyError {
  return failed("internal", "its answer is no whole message");
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Field 1 of a message, of bytes (protocol buffers' encoding). */
function field(content: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.of(0x0a, ...length, rest), content]);
}

function firstField(message: Uint8Array): Uint8Array {
  if (message.length === 0) return message;
  let [at, size] = [1, 0];
  for (let shift = 0; at < message.length && shift < 32; shift += 7) {
    const byte = message[at++] ?? 0;
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (message[0] === 0x0a && at + size <= message.length) return message.subarray(at, at + size);
  throw failed("internal", "its answer is no message with bytes");
}
