/** Promises of Rekor's beside signatures; [sigstore-lab.ts](sigstore-lab.ts) says where the answers are from. */
import { afterAll, beforeAll, describe } from "bun:test";
import { annotationsOf, type Edits, newPair, promiseOf, publicHalf, signed } from "../harness/sigstore.ts";
import { base64, cases, middle, SigstoreLab } from "./sigstore-lab.ts";

let lab: SigstoreLab;
beforeAll(() => {
  if (Bun.which("openssl") !== null) lab = new SigstoreLab();
});
afterAll(() => lab?.stop(), 60_000);

/** Of an entry's body, for changes. */
interface Spec {
  data: { hash?: { algorithm: string; value: string } };
  signature?: { content: string; publicKey?: { content: string } };
  more?: number;
}

const accepted = "accepted";

describe("Rekor's promise", () => {
  const ask = (edits: Edits, more: object = {}) => {
    const leaf = lab.signer();
    return lab.judge(lab.asks(), lab.fulcio(leaf, { edits, ...more }));
  };
  const spec = (change: (spec: Spec) => void) => (body: Record<string, unknown>) => {
    change(body.spec as Spec);
    return body;
  };
  const hashOf = (data: Spec["data"], change: (hash: NonNullable<Spec["data"]["hash"]>) => Spec["data"]["hash"]) => {
    if (data.hash !== undefined) Object.assign(data, { hash: change(data.hash) });
  };
  const keyIs = ({ signature }: Spec, change: (content: string) => string) => {
    const key = signature?.publicKey;
    if (key !== undefined) key.content = change(key.content);
  };
  const failed = "verification of Rekor SET failed";
  cases([
    ["is enough", () => ask({}), accepted],
    ["in any order, with blanks", () => ask({ text: (text) => JSON.stringify(JSON.parse(text), null, 2) }), accepted],
    [
      "with numbers written otherwise",
      () => ask({ text: (text) => text.replace('"logIndex":7', '"logIndex":7.0e0') }),
      accepted,
    ],
    ["by another key", () => ask({}, { rekor: newPair() }), failed],
    ["at a time that was changed", () => ask({ after: (entry) => ({ ...entry, integratedTime: middle + 1 }) }), failed],
    ["at half a second", () => ask({ before: (entry) => ({ ...entry, integratedTime: middle + 0.5 }) }), "Rekor SET"],
    ["with a field more", () => ask({ before: (entry) => ({ ...entry, more: 1 }) }), 'Unknown key "more"'],
    ["with a field less", () => ask({ before: ({ logID: _, ...entry }) => entry }), "missing in a JSON object"],
    [
      "with a field more around it",
      () => ask({ text: (text) => text.replace("{", '{"more":1,') }),
      'Unknown key "more"',
    ],
    ["with a field twice", () => ask({ text: (text) => text.replace("{", '{"Payload":{},') }), "Duplicate key"],
    ["that is no JSON", () => ask({ text: () => "{" }), "Rekor SET"],
    ["that is empty", () => ask({ text: () => "" }), "Rekor SET"],
    ["of another kind of entry", () => ask({ body: (body) => ({ ...body, kind: "rekord" }) }), "invalid kind value"],
    ["of another version", () => ask({ body: (body) => ({ ...body, apiVersion: "0.0.2" }) }), "unsupported"],
    ["of an entry without a version", () => ask({ body: ({ apiVersion: _, ...body }) => body }), "version"],
    [
      "of another hash",
      () => ask({ body: spec(({ data }) => hashOf(data, (hash) => ({ ...hash, algorithm: "sha512" }))) }),
      "data.hash.algorithm",
    ],
    [
      "of a hash in capitals",
      () =>
        ask({
          body: spec(({ data }) => hashOf(data, ({ value, ...hash }) => ({ ...hash, value: value.toUpperCase() }))),
        }),
      accepted,
    ],
    ["of no hash", () => ask({ body: spec((it) => delete it.data.hash) }), "Missing"],
    ["of no signature", () => ask({ body: spec((it) => delete it.signature) }), "Missing"],
    ["of no key", () => ask({ body: spec(({ signature }) => delete signature?.publicKey) }), "Missing"],
    ["of a key that is no PEM", () => ask({ body: spec((it) => keyIs(it, () => "aaaa")) }), "PEM"],
    ["of an entry with unknown fields", () => ask({ body: spec((it) => (it.more = 1)) }), accepted],
    ["of no JSON", () => ask({ body: () => "x" }), "Rekor SET"],
    [
      "of another signature",
      () => ask({}, { entry: { signature: signed(newPair().key, "x") } }),
      "signature in Rekor SET does not match",
    ],
    ["of another payload", () => ask({}, { entry: { payload: "x" } }), "payload in Rekor SET does not match"],
    [
      "of another certificate",
      () => ask({}, { entry: { signer: lab.root.certificate } }),
      "publicKey in Rekor SET does not match",
    ],
    [
      "of a certificate with something behind it",
      () =>
        ask({
          body: spec((it) =>
            keyIs(it, (key) =>
              base64(`${Buffer.from(key, "base64")}

`),
            ),
          ),
        }),
      "PEM",
    ],
  ]);

  const keyed = (more: { requirement?: object; edits?: Edits; without?: boolean; signer?: string; key?: string }) => {
    const pair = newPair();
    const key = more.key ?? pair.key;
    const signature = signed(key, lab.payload);
    const entry = { signer: more.signer ?? publicHalf(key), signature, payload: lab.payload };
    const bundle = more.without === true ? undefined : promiseOf(lab.rekor, entry, middle, more.edits);
    const requirement = {
      keyDatas: [newPair().publicKey, publicHalf(key)].map(base64),
      rekorPublicKeyData: base64(lab.rekor.publicKey),
      ...more.requirement,
    };
    return lab.judge(requirement, annotationsOf({ signature, bundle }));
  };
  cases([
    ["beside a key, the second of two", () => keyed({}), accepted],
    ["beside a key is missing", () => keyed({ without: true }), "missing dev.sigstore.cosign/bundle annotation"],
    ["beside a key is of another key", () => keyed({ signer: newPair().publicKey }), "No public key verified"],
    [
      "beside a key at no time in particular",
      () => keyed({ edits: { before: (entry) => ({ ...entry, integratedTime: 0 }) } }),
      accepted,
    ],
    [
      "by the second of two keys",
      () =>
        keyed({
          requirement: {
            rekorPublicKeyData: undefined,
            rekorPublicKeyDatas: [newPair().publicKey, lab.rekor.publicKey].map(base64),
          },
        }),
      accepted,
    ],
    [
      "by a key that is not ECDSA's",
      () => keyed({ requirement: { rekorPublicKeyData: base64(newPair("ed25519").publicKey) } }),
      "is not using ECDSA",
    ],
    ["beside a key of Ed25519", () => keyed({ key: newPair("ed25519").key }), accepted],
    ["beside a key of RSA", () => keyed({ key: newPair("rsa").key }), accepted],
    ["beside a key of P-384", () => keyed({ key: newPair("P-384").key }), accepted],
    [
      "that nobody asks for is not looked at",
      () => keyed({ edits: { text: () => "x" }, requirement: { rekorPublicKeyData: undefined } }),
      accepted,
    ],
  ]);
});
