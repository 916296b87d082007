import { type ErrorCode, type ErrorDetails, GalleyError } from "../../../errors.ts";
import type { HttpAnswer } from "./request.ts";
import { LONGEST_WAIT, retryAfter } from "./retry.ts";

/** A failed request to a registry, with what another attempt needs to know. */
export class RegistryError extends GalleyError {
  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails & {
      /** Whether the same request may succeed a little later. */
      readonly transient?: boolean;
      /** Seconds that the registry asks to wait. */
      readonly retryAfter?: number | undefined;
      /** HTTP status, where there was an answer. */
      readonly status?: number;
      /** Nothing listens at the address. */
      readonly refused?: boolean;
    },
  ) {
    super(code, message, details);
    this.transient = details.transient ?? false;
    this.retryAfter = details.retryAfter;
    this.status = details.status;
    this.refused = details.refused ?? false;
  }

  readonly transient: boolean;
  readonly retryAfter: number | undefined;
  readonly status: number | undefined;
  readonly refused: boolean;
}

const op = "ask registry";

/** What a failure of the connection itself means; `subject` is the URL's origin. */
export function connectionFault(failure: unknown, url: URL): RegistryError {
  const code = String((failure as { code?: unknown } | null)?.code ?? "");
  const details = { op, subject: url.origin, cause: failure };
  if (code === "ECONNREFUSED")
    return new RegistryError("unavailable", "nothing answers there", { ...noCause(details, hintDown), refused: true });
  if (code === "ENOTFOUND") return new RegistryError("unavailable", "no such host", noCause(details, hintName));
  if (code === "EAI_AGAIN") {
    const what = "Temporary failure in name resolution";
    return new RegistryError("unavailable", what, { ...noCause(details, hintName), transient: true });
  }
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return new RegistryError("unavailable", "the TLS handshake failed", noCause(details, hintPlain));
  }
  const tunnel = /^Proxy refused to open a tunnel: (\d+)/.exec(String((failure as Error | null)?.message));
  if (tunnel !== null) return proxyFault(Number(tunnel[1]), url);
  if (/CERT|SIGNED|ISSUER|VERIFY_LEAF|ALTNAME/.test(code)) return certificateFault(code, url);
  return new RegistryError("unavailable", "the connection broke", { ...details, transient: true });
}

/** A proxy that does not open the way to the registry says why with a status. */
function proxyFault(status: number, url: URL): RegistryError {
  const asks = status === 407;
  return new RegistryError(asks ? "unauthenticated" : "unavailable", `the proxy refuses: ${status}`, {
    ...{ op, subject: url.origin, status, transient: status >= 500 },
    hint: asks
      ? "its login belongs in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"
      : "NO_PROXY names registries that are asked directly",
  });
}

const hintDown = "is the registry running, and the port right (and the proxy's, if there is one)?";
const hintName = "check the registry's name, and the machine's DNS";
const hintPlain =
  "either it does not speak TLS there, or it asks for a client certificate (NAME.cert and NAME.key in certs.d)";

function noCause(details: { readonly op: string; readonly subject: string }, hint: string): ErrorDetails {
  return { op: details.op, subject: details.subject, hint };
}

const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "was made for another name",
};

function certificateFault(code: string, url: URL): RegistryError {
  const fault = certificateFaults[code] ?? "is signed by an authority that is not trusted here";
  const trust = `if it is the right one, put its authority at /etc/docker/certs.d/${url.host}/ca.crt`;
  return new RegistryError("failed_precondition", `the registry's certificate ${fault} (${code})`, {
    op,
    subject: url.origin,
    hint: certificateFaults[code] === undefined ? trust : "the registry needs a new certificate, or its right name",
  });
}

/** No byte came for `seconds`. */
export function stalled(url: URL, seconds: number): RegistryError {
  const message = `no answer for ${seconds} seconds`;
  return new RegistryError("deadline_exceeded", message, { op, subject: url.origin, transient: true });
}

/** So few bytes came in `seconds` that the whole would take for ever. */
export function tooSlow(url: URL, bytes: number, seconds: number): RegistryError {
  const message = `only ${bytes} bytes in ${seconds} seconds`;
  return new RegistryError("deadline_exceeded", message, { op, subject: url.origin, transient: true });
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  405: "unimplemented",
  416: "out_of_range",
};

/** What an answer that is no success means. Reads the answer's body. */
export async function answerFault(
  answer: HttpAnswer,
  asked: { readonly op: string; readonly subject: string; readonly path?: string | URL },
): Promise<RegistryError> {
  const { response } = answer;
  const { status } = response;
  const wait = retryAfter(response.headers.get("retry-after"));
  const transient = status === 408 || status === 429 || status >= 500;
  const said = (await complaint(answer)) || usualComplaint(status, asked.path);
  const message = `${phrases[status] ?? `the registry answered ${status}`}${said === "" ? "" : `: ${said}`}`;
  return new RegistryError(codes[status] ?? (transient ? "unavailable" : "unknown"), message, {
    op: asked.op,
    subject: asked.subject,
    ...hintFor(status, wait),
    transient,
    retryAfter: wait,
    status,
  });
}

const phrases: Readonly<Record<number, string>> = {
  401: "access denied: there is no such repository, or it needs a login",
  403: "access denied",
  404: "not found in the registry",
  429: "toomanyrequests: the registry takes no more requests for now",
};

function hintFor(status: number, wait: number | undefined): { readonly hint?: string } {
  if (status === 401 || status === 403) {
    return {
      hint: "check the name; for a private repository, its login belongs in ~/.docker/config.json (docker login)",
    };
  }
  if (status === 404) return { hint: "check the name and the tag" };
  if (wait !== undefined && wait > LONGEST_WAIT) return { hint: `the registry says: try again in ${wait} seconds` };
  return status === 429 ? { hint: "try again later; a login may raise the limit" } : {};
}

/** What registries say in a body, which the answer to a HEAD does not have. */
function usualComplaint(status: number, path: string | URL = ""): string {
  if (status === 401) return "unauthorized: authentication required";
  return status === 404 && String(path).includes("/manifests/") ? "manifest unknown" : "";
}

/** A body longer than this is no error message, in bytes. */
const MAX_COMPLAINT = 64 << 10;

/** The first error of distribution-spec's error body, as `code: message` in lower case words; empty where there is none. */
async function complaint(answer: HttpAnswer): Promise<string> {
  try {
    const body = await limitedText(answer);
    const { errors } = JSON.parse(body) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const [first] = errors ?? [];
    const code = typeof first?.code === "string" ? first.code.toLowerCase().replaceAll("_", " ") : "";
    const message = typeof first?.message === "string" ? first.message : "";
    return [code, message].filter(Boolean).join(": ").slice(0, 500);
  } catch {
    return ""; // An unreadable explanation must not hide the status it explains.
  }
}

async function limitedText(answer: HttpAnswer): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_COMPLAINT) return "";
  }
  return text;
}
