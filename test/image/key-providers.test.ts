/** Key providers, which hold the keys of encrypted layers, as ocicrypt has them: programs and gRPC services. the questions are those that skopeo 1.22 asks, seen there. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createSecureServer, createServer, type ServerHttp2Stream } from "node:http2";
import { makeCertificates } from "../harness/certificates.ts";
import { patience } from "../harness/patience.ts";
import { startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { EncryptionLab, manifestOf, prefix, schemesOf } from "./encryption-lab.ts";

// Some tests are a dozen commands.
setDefaultTimeout(30_000 * patience);

const lab = new EncryptionLab();
const { key, plain, place, copy, locked, refused, expectOpened } = lab;
type Server = ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>;
const services: Server[] = [];

/** A provider "encrypts" by turning bits over, and notes what it was asked. */
const provider = `#!${process.execPath}
const question = JSON.parse(await Bun.stdin.text());
await Bun.write(process.argv[2], JSON.stringify(question));
process.stdout.write(JSON.stringify((await import(process.argv[3])).answer(question)));
`;
const answering = `
const turned = (text) => Buffer.from(Buffer.from(text, "base64").map((byte) => byte ^ 0x5a)).toString("base64");
export const answer = ({ op, keywrapparams, keyunwrapparams }) =>
  op === "keywrap"
    ? { keywrapresults: { annotation: turned(keywrapparams.optsdata) } }
    : { keyunwrapresults: { optsdata: turned(keyunwrapparams.annotation) } };
`;
const configured = (file: string) => ({ OCICRYPT_KEYPROVIDER_CONFIG: key(file) });
const asked = () => Bun.file(key("asked.json")).json();

beforeAll(async () => {
  writeFileSync(key("provider"), provider);
  chmodSync(key("provider"), 0o755);
  writeFileSync(key("answer.mjs"), answering);
  const args = [key("asked.json"), key("answer.mjs")];
  const { answer } = await import(key("answer.mjs"));
  const { authority, certificate, key: secret } = makeCertificates(lab.folder);
  const tls = { cert: readFileSync(certificate), key: readFileSync(secret), ca: readFileSync(authority) };
  const clients = { requestCert: true, rejectUnauthorized: true };
  const [open, closed] = [createServer(), createSecureServer({ ...tls, ...clients })];
  const [port, tlsPort] = [await serve(open, answer), await serve(closed, answer)];
  const local = createServer();
  await serve(local, answer, key("provider.sock"));
  const odd = createServer();
  odd.on("stream", (stream: ServerHttp2Stream) => answerOddly(stream));
  const oddPort = await listen(odd, { port: 0, host: "127.0.0.1" });
  services.push(open, closed, local, odd);
  const trusting = { "root-ca-file": authority, "cert-file": certificate, "key-file": secret };
  writeFileSync(
    key("providers.json"),
    JSON.stringify({
      "key-providers": {
        turner: { cmd: { path: key("provider"), args } },
        service: { grpc: `127.0.0.1:${port}` },
        local: { grpc: `unix://${key("provider.sock")}` },
        secure: { grpc: `dns:///127.0.0.1:${tlsPort}`, "grpc-tls": { ...trusting, "server-name": "localhost" } },
        careless: {
          grpc: `127.0.0.1:${tlsPort}`,
          "grpc-tls": { ...trusting, "root-ca-file": "", "insecure-skip-verify": true },
        },
        strange: { grpc: `127.0.0.1:${tlsPort}`, "grpc-tls": { ...trusting, "root-ca-file": "" } },
        missing: { grpc: `127.0.0.1:${tlsPort}`, "grpc-tls": { "root-ca-file": key("no-file") } },
        nobody: { grpc: "127.0.0.1:1" },
        odd: { grpc: `127.0.0.1:${oddPort}` },
        failing: { cmd: { path: "/bin/sh", args: ["-c", "echo not today >&2; exit 3"] } },
        endless: { cmd: { path: "/bin/sh", args: ["-c", "exec yes"] } },
        chatty: { cmd: { path: "/bin/echo", args: ["hello"] } },
        silent: { cmd: { path: "/bin/echo", args: ["{}"] } },
        absent: { cmd: { path: key("nothing") } },
        empty: {},
      },
    }),
  );
  lab.env = configured("providers.json");
});
afterAll(async () => {
  for (const service of services) service.close();
  await lab.stop();
});

/** A service of the two methods, on a free port or at a path; each message has one field of bytes. */
function serve(server: Server, answer: (question: unknown) => unknown, path?: string): Promise<number | undefined> {
  server.on("stream", (stream: ServerHttp2Stream, { ":path": method, "content-type": type }) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const known =
        /^\/keyprovider\.KeyProviderService\/(Wrap|UnWrap)Key$/.test(String(method)) && type === "application/grpc";
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": known ? "0" : "12" }));
      stream.end(known ? framed(answer(JSON.parse(unframed(Buffer.concat(chunks))))) : undefined);
    });
  });
  return listen(server, path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
}
function listen(server: Server, at: { readonly port: number; readonly host: string } | { readonly path: string }) {
  return new Promise<number | undefined>((resolve) => {
    server.listen(at, () => {
      const bound = server.address();
      resolve(typeof bound === "object" ? bound?.port : undefined);
    });
  });
}
/** What a service answers that does not keep to the protocol. */
let answerOddly: (stream: ServerHttp2Stream) => void = (stream) => stream.close();
function unframed(message: Buffer): string {
  let start = 6;
  while ((message[start++] ?? 0) > 0x7f);
  return message.subarray(start).toString();
}
function framed(answer: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(answer));
  const head = Uint8Array.of(0x0a, (text.length & 0x7f) | 0x80, text.length >> 7);
  const size = Buffer.alloc(5);
  size.writeUInt32BE(head.length + text.length, 1);
  return Buffer.concat([size, head, text]);
}

for (const name of ["turner", "service", "local", "secure", "careless"]) {
  describe(`the provider ${name}`, () => {
    const recipient = `provider:${name}:abc`;
    test("wraps keys and unwraps them", async () => {
      const to = await locked("--encryption-key", recipient);
      expect(schemesOf(to)).toEqual([`provider.${name}`]);
      await expectOpened(to, [`provider:${name}`]);
    });
  });
}

describe("a provider that is a program", () => {
  test("is asked with its parameters, and is told when it has none", async () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const to = await locked("--encryption-key", "provider:turner:one:1", "--encryption-key", "provider:turner:two");
    expect(await asked()).toEqual({
      op: "keywrap",
      keywrapparams: {
        ec: { Parameters: { turner: [base64("one:1"), base64("two")] }, DecryptConfig: { Parameters: {} } },
        optsdata: expect.any(String),
      },
      keyunwrapparams: { dc: null, annotation: null },
    });
    await copy("--decryption-key", "provider:turner", to, place());
    expect(await asked()).toEqual({
      op: "keyunwrap",
      keywrapparams: { ec: null, optsdata: null },
      keyunwrapparams: { dc: { Parameters: { turner: [base64("Enabled")] } }, annotation: expect.any(String) },
    });
  });

  test("is asked though only another key was named", async () => {
    const to = await locked("--encryption-key", "provider:turner");
    await expectOpened(to, ["provider:silent"]);
  });

  test("that does not know the key is named with what it said", async () => {
    const to = await locked("--encryption-key", "provider:turner");
    writeFileSync(key("answer.mjs"), "export const answer = () => ({});");
    const why = "missing private key needed for decryption: the key provider answered without a key";
    await refused(why, "--decryption-key", "provider:turner", to, place());
    writeFileSync(key("answer.mjs"), answering);
  });
});

describe("a provider fails and says why:", () => {
  for (const [name, why] of [
    ["failing", "Error while running command: /bin/sh. stderr: not today: exit status 3"],
    ["chatty", "the key provider's answer is no JSON object"],
    ["endless", "it is larger than the 4194304 bytes that are accepted"],
    ["silent", "no wrapped keys produced by encryption"],
    ["absent", "Error while running command: "],
    ["empty", "Supported invocation methods are grpc and cmd"],
    ["other", 'there is no key provider "other"'],
    ["nobody", "Error from grpc method: the connection failed"],
    ["strange", "Error from grpc method: the connection failed"],
    ["missing", "Error from grpc method: failed to load certificates or keys"],
  ] as const) {
    test(name, () => refused(why, "--encryption-key", `provider:${name}`, plain, place()));
  }
});

describe("a service that does not keep to the protocol is refused:", () => {
  const answer =
    (status: string, body: Buffer, message = "") =>
    (stream: ServerHttp2Stream) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status, "grpc-message": message }));
      stream.end(body);
    };
  for (const [name, oddly, why] of [
    ["half a message", answer("0", Buffer.from("0000000009", "hex")), "its answer is no whole message"],
    ["a compressed message", answer("0", Buffer.from("010000000100", "hex")), "its answer is no whole message"],
    ["nothing", answer("0", Buffer.of()), "its answer is no whole message"],
    [
      "a message without bytes",
      answer("0", Buffer.from("00000000020801", "hex")),
      "its answer is no message with bytes",
    ],
    ["reasons that are not encoded", answer("2", Buffer.of(), "100% no"), "code = unknown desc = 100% no"],
    ["too much", answer("0", Buffer.alloc(5 << 20)), "its answer is larger than 4194304 bytes"],
  ] as const) {
    test(name, async () => {
      answerOddly = oddly;
      await refused(`Error from grpc method: ${why}`, "--encryption-key", "provider:odd", plain, place());
    });
  }
});

test("a file of providers that is no JSON is refused", async () => {
  writeFileSync(key("broken.json"), "{");
  lab.env = configured("broken.json");
  await refused("Error while parsing keyprovider config file", "--encryption-key", "provider:turner", plain, place());
  lab.env = configured("nothing");
  await refused('there is no key provider "turner"', "--encryption-key", "provider:turner", plain, place());
  lab.env = configured("providers.json");
});

testWith({ root: true, commands: ["docker-registry"] }, "an image is pulled with a provider's help", async () => {
  const registry = await startRegistry();
  try {
    const name = `${registry.host}/team/held:1`;
    await copy("--encryption-key", "provider:turner", "--dest-tls-verify=false", plain, `docker://${name}`);
    const pull = (...words: readonly string[]) =>
      lab.store.galley(["pull", "-q", "--tls-verify=false", ...words, name], { env: lab.env });
    expect(await pull()).toMatchObject({ status: 1, stderr: expect.stringContaining("missing private key") });
    expect(await pull("--decryption-key", "provider:turner")).toMatchObject({ status: 0 });
    const back = place();
    await copy(`containers-storage:${name}`, back);
    expect(manifestOf(back).layers).toEqual(manifestOf(plain).layers);
  } finally {
    await registry.stop();
  }
});

test("annotations are named by their provider", async () => {
  const to = await locked("--encryption-key", "provider:turner", "--encrypt-layer", "1");
  const annotations = manifestOf(to).layers.map((layer) => Object.keys(layer.annotations ?? {}).sort());
  expect(annotations).toEqual([[], [`${prefix}keys.provider.turner`, `${prefix}pubopts`], []]);
});
