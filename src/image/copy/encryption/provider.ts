import { GalleyError } from "../../../errors.ts";
import { jsonObject } from "../../json-object.ts";
import { readCapped } from "../../verify/read.ts";
import type { KeyOpener, KeyWrapper } from "./key-wrap.ts";
import { CONFIG_VARIABLE, MAX_ANSWER, type ProviderSettings, readProviders } from "./provider-config.ts";

const SCHEME = "provider.";

/** What is said to a provider for each parameter, base64 of it (Go's encoding of bytes in JSON). */
type Parameters = ReadonlyMap<string, readonly string[]>;

/** What a key provider answers (ocicrypt's docs/keyprovider.md); bytes are base64. */
interface Answer {
  readonly keywrapresults?: { readonly annotation?: string | null };
  readonly keyunwrapresults?: { readonly optsdata?: string | null };
}

/**
 * Key providers that wrap a layer's key, each in its own way.
 * @param values NAME or NAME:PARAMETER; a name that is there several times is asked once, with all its parameters
 * Errors: `invalid_argument` for one that is not configured.
 */
export function providerWrappers(values: readonly string[]): readonly KeyWrapper[] {
  const providers = readProviders();
  return [...parametersOf(values)].map(([name, parameters]) => {
    const settings = providers.get(name);
    if (settings === undefined) throw unknown(name);
    return { scheme: `${SCHEME}${name}`, wrap: (secret) => wrapWith(name, settings, parameters, secret) };
  });
}

/** All key providers that are configured; those of `values`, which are NAME or NAME:PARAMETER, are told their parameters. */
export function providerOpener(values: readonly string[]): KeyOpener {
  const parameters = parametersOf(values);
  return {
    takes: (scheme) =>
      scheme.startsWith(SCHEME) && (parameters.has(nameOf(scheme)) || readProviders().has(nameOf(scheme))),
    open: (wrapped, scheme) => {
      const settings = readProviders().get(nameOf(scheme));
      if (settings === undefined) throw unknown(nameOf(scheme));
      return unwrapWith(settings, parameters, wrapped);
    },
  };
}

function nameOf(scheme: string): string {
  return scheme.slice(SCHEME.length);
}

/** A provider without a parameter is told `Enabled`. */
function parametersOf(values: readonly string[]): Parameters {
  const pairs = values.map((value) => {
    const colon = value.indexOf(":");
    const [name, parameter] = colon > 0 ? [value.slice(0, colon), value.slice(colon + 1)] : [value, "Enabled"];
    return { name, parameter: Buffer.from(parameter).toString("base64") };
  });
  const grouped = Map.groupBy(pairs, ({ name }) => name);
  return new Map([...grouped].map(([name, group]) => [name, group.map(({ parameter }) => parameter)]));
}

async function wrapWith(
  name: string,
  settings: ProviderSettings,
  parameters: readonly string[],
  secret: Uint8Array,
): Promise<Uint8Array> {
  const ec = { Parameters: { [name]: parameters }, DecryptConfig: { Parameters: {} } };
  const answer = await ask(settings, "WrapKey", {
    op: "keywrap",
    keywrapparams: { ec, optsdata: Buffer.from(secret).toString("base64") },
    keyunwrapparams: { dc: null, annotation: null },
  });
  const wrapped = Buffer.from(answer.keywrapresults?.annotation ?? "", "base64");
  if (wrapped.length > 0) return wrapped;
  throw new GalleyError("failed_precondition", "no wrapped keys produced by encryption", {
    op: "encrypt",
    subject: `provider:${name}`,
    hint: "the key provider answered without one",
  });
}

async function unwrapWith(
  settings: ProviderSettings,
  parameters: Parameters,
  wrapped: Uint8Array,
): Promise<Uint8Array> {
  const answer = await ask(settings, "UnWrapKey", {
    op: "keyunwrap",
    keywrapparams: { ec: null, optsdata: null },
    keyunwrapparams: {
      dc: { Parameters: Object.fromEntries(parameters) },
      annotation: Buffer.from(wrapped).toString("base64"),
    },
  });
  const secret = Buffer.from(answer.keyunwrapresults?.optsdata ?? "", "base64");
  if (secret.length > 0) return secret;
  throw new GalleyError("permission_denied", "the key provider answered without a key");
}

async function ask(settings: ProviderSettings, method: "WrapKey" | "UnWrapKey", question: object): Promise<Answer> {
  const [{ cmd, grpc = "" }, text] = [settings, Buffer.from(JSON.stringify(question))];
  if (cmd !== undefined && cmd !== null) return parsed(await run(cmd.path ?? "", cmd.args ?? [], text));
  if (grpc !== "") {
    const { callProvider } = await import("./provider-grpc.ts");
    return parsed(await callProvider(grpc, settings["grpc-tls"] ?? undefined, method, text));
  }
  const why = "Unsupported keyprovider invocation. Supported invocation methods are grpc and cmd";
  throw new GalleyError("invalid_argument", why);
}

async function run(program: string, words: readonly string[], input: Uint8Array): Promise<Uint8Array> {
  const failed = (what: string) =>
    new GalleyError("failed_precondition", `Error while running command: ${program}. ${what}`);
  const path = Bun.which(program);
  if (path === null) throw failed("It is not there, or not executable");
  const child = Bun.spawn([path, ...words], { stdio: [Buffer.from(input), "pipe", "pipe"] });
  const read = (stream: ReadableStream<Uint8Array>) => readCapped(stream, MAX_ANSWER, `provider ${program}`);
  try {
    const [output, said] = await Promise.all([read(child.stdout), read(child.stderr)]);
    const status = await child.exited;
    if (status === 0) return output;
    throw failed(`stderr: ${Buffer.from(said).toString("utf8").trim()}: exit status ${status}`);
  } finally {
    child.kill("SIGKILL"); // Where it said too much, it may be at it still.
  }
}

function parsed(text: Uint8Array): Answer {
  const object = jsonObject(text);
  if (object !== undefined) return object;
  throw new GalleyError("failed_precondition", "the key provider's answer is no JSON object");
}

function unknown(name: string): GalleyError {
  return new GalleyError("invalid_argument", `there is no key provider ${JSON.stringify(name)}`, {
    op: "ask key provider",
    subject: `provider:${name}`,
    hint: `the file that ${CONFIG_VARIABLE} names must have it`,
  });
}
