/** Certificates of other authorities, signatures in registries, policies that are wrong; [sigstore-lab.ts](sigstore-lab.ts) says where the answers are from. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore } from "../harness/galley.ts";
import { startRegistry } from "../harness/registry.ts";
import { testWith } from "../harness/requirements.ts";
import { annotationsOf, chainOf, newPair, signed } from "../harness/sigstore.ts";
import { authority, base64, cases, email, hours, issuer, SigstoreLab } from "./sigstore-lab.ts";

let lab: SigstoreLab;
beforeAll(() => {
  if (Bun.which("openssl") !== null) lab = new SigstoreLab();
});
afterAll(() => lab?.stop(), 60_000);

const accepted = "accepted";
const unknown = "unknown authority";

describe("a certificate of another authority", () => {
  const own = [
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=codeSigning",
    `subjectAltName=email:${email},DNS:build.example.com,DNS:*.ci.example.com,IP:10.0.0.1,IP:fd00::1`,
  ];
  const now = { from: "20200101000000Z", to: "20990101000000Z" };
  const ask = (pki: object, wish: Parameters<SigstoreLab["signer"]>[0] = {}, chain?: () => string) => {
    const leaf = lab.signer({ extensions: own, ...now, ...wish });
    const signature = signed(leaf.key, lab.payload);
    const annotations = annotationsOf({ signature, certificate: leaf.certificate, chain: chain?.() });
    return lab.judge({ pki: { caRootsData: base64(lab.root.certificate), ...pki } }, annotations);
  };
  const host = (subjectHostname: string) => ask({ subjectHostname });
  const wrong = "Unexpected subject hostname";
  cases([
    ["of this address", () => ask({ subjectEmail: email }), accepted],
    ["of another address", () => ask({ subjectEmail: "a@b.example" }), "Required email"],
    ["of this address and host", () => ask({ subjectEmail: email, subjectHostname: "build.example.com" }), accepted],
    [
      "of this address and not this host",
      () => ask({ subjectEmail: email, subjectHostname: "other.example.com" }),
      wrong,
    ],
    ["of a host in capitals", () => host("BUILD.example.com"), accepted],
    ["of a host with a dot behind", () => host("build.example.com."), accepted],
    ["of a host below a wildcard", () => host("one.ci.example.com"), accepted],
    ["of a host two below a wildcard", () => host("two.one.ci.example.com"), wrong],
    ["of the wildcard's own domain", () => host("ci.example.com"), wrong],
    ["of the wildcard itself", () => host("*.ci.example.com"), accepted],
    ["of an IP address", () => host("10.0.0.1"), accepted],
    ["of another IP address", () => host("10.0.0.2"), wrong],
    ["of an IPv6 address", () => host("fd00::1"), accepted],
    ["of an IPv6 address in brackets, written out", () => host("[fd00:0:0:0:0:0:0:1]"), accepted],
    ["of an IPv4 address in IPv6", () => host("::ffff:10.0.0.1"), accepted],
    [
      "of a host in the common name alone",
      () => ask({ subjectHostname: "signer" }, { extensions: own.slice(0, 2) }),
      wrong,
    ],
    ["that has expired", () => ask({ subjectEmail: email }, hours), "expired"],
    ["that is not valid yet", () => ask({ subjectEmail: email }, { from: "20980101000000Z" }), "not yet valid"],
    [
      "for servers",
      () =>
        ask(
          { subjectEmail: email },
          { extensions: [...own.filter((line) => !line.startsWith("ext")), "extendedKeyUsage=serverAuth"] },
        ),
      "usage",
    ],
    [
      "with names that are critical and unknown",
      () =>
        ask(
          { subjectEmail: email },
          { extensions: [...own.slice(0, 2), `subjectAltName=critical,otherName:1.2.3;UTF8:${email}`] },
        ),
      "unhandled critical",
    ],
    [
      "that is a root itself",
      async () => {
        const leaf = lab.issue({ name: "alone", extensions: own });
        const annotations = annotationsOf({ signature: signed(leaf.key, lab.payload), certificate: leaf.certificate });
        return lab.judge({ pki: { caRootsData: base64(leaf.certificate), subjectEmail: email } }, annotations);
      },
      accepted,
    ],
    [
      "by an authority that is named",
      async () => {
        const between = lab.issue({ name: "between", by: lab.root, extensions: authority });
        return ask({ subjectEmail: email, caIntermediatesData: base64(between.certificate) }, { by: between });
      },
      accepted,
    ],
    [
      "by an authority that is brought",
      async () => {
        const between = lab.issue({ name: "between", by: lab.root, extensions: authority });
        return ask({ subjectEmail: email }, { by: between }, () => chainOf(between, lab.root));
      },
      accepted,
    ],
    [
      "by an authority that is not there",
      async () =>
        ask({ subjectEmail: email }, { by: lab.issue({ name: "between", by: lab.root, extensions: authority }) }),
      unknown,
    ],
    ["with authorities that are none", () => ask({ subjectEmail: email, caIntermediatesData: base64("x") }), "PEM"],
    [
      "with a signature by another key",
      async () => {
        const leaf = lab.signer({ extensions: own, ...now });
        const annotations = annotationsOf({
          signature: signed(newPair().key, lab.payload),
          certificate: leaf.certificate,
        });
        return lab.judge({ pki: { caRootsData: base64(lab.root.certificate), subjectEmail: email } }, annotations);
      },
      "cryptographic signature verification failed",
    ],
  ]);
});

describe("signatures in a registry", () => {
  testWith(
    { commands: ["openssl", "docker-registry"] },
    "keep what Fulcio and Rekor said of them",
    async () => {
      const [registry, store] = [await startRegistry(), createStore()];
      try {
        const configured = join(lab.directory, "registries.d");
        mkdirSync(configured);
        const yaml = { docker: { [registry.host]: { "use-sigstore-attachments": true } } };
        writeFileSync(join(configured, "test.yaml"), JSON.stringify(yaml));
        const between = lab.issue({ name: "between", by: lab.root, extensions: authority });
        const annotations = lab.fulcio(lab.signer({ by: between }), { chain: chainOf(between, lab.root) });
        const image = `docker://${registry.host}/app:1`;
        const plain = ["copy", "-q", "--registries.d", configured, "--src-tls-verify=false", "--dest-tls-verify=false"];
        await store.ok([...plain, `dir:${lab.image(annotations)}`, image]);
        const ask = (fulcio: object) =>
          store.galley([...plain, "--policy", lab.policy(lab.asks(fulcio)), image, `dir:${lab.directory}/out`]);
        expect(await ask({})).toMatchObject({ status: 0, stderr: "" });
        const other = await ask({ subjectEmail: "other@example.com" });
        expect(other.status).toBe(1);
        expect(other.stderr).toContain('Source image rejected: Required email "other@example.com" not found');
      } finally {
        await store.cleanup();
        await registry.stop();
      }
    },
    60_000,
  );
});

describe("a policy is refused", () => {
  const ask = (requirement: object) => lab.judge(requirement, annotationsOf({ signature: "AAAA" }));
  const data = base64("x");
  const fulcio = { caData: data, oidcIssuer: issuer, subjectEmail: email };
  cases([
    ["of Fulcio without Rekor", () => ask({ fulcio }), "must be specified if fulcio is used"],
    [
      "of another authority with Rekor",
      () => ask({ pki: { caRootsData: data, subjectEmail: email }, rekorPublicKeyData: data }),
      "not supported for pki",
    ],
    ["of Fulcio and keys", () => ask({ fulcio, keyData: data, rekorPublicKeyData: data }), "exactly one of keyPath"],
    [
      "of Fulcio without an issuer",
      () => ask({ fulcio: { ...fulcio, oidcIssuer: undefined }, rekorPublicKeyData: data }),
      "oidcIssuer",
    ],
    [
      "of Fulcio without a subject",
      () => ask({ fulcio: { ...fulcio, subjectEmail: undefined }, rekorPublicKeyData: data }),
      "subjectEmail",
    ],
    [
      "of Fulcio without an authority",
      () => ask({ fulcio: { ...fulcio, caData: undefined }, rekorPublicKeyData: data }),
      "one of caPath",
    ],
    [
      "of Fulcio with two",
      () => ask({ fulcio: { ...fulcio, caPath: "/x" }, rekorPublicKeyData: data }),
      "one of caPath",
    ],
    [
      "of Fulcio with a field more",
      () => ask({ fulcio: { ...fulcio, more: 1 }, rekorPublicKeyData: data }),
      'Unknown key "more"',
    ],
    ["of Fulcio that is none", () => ask({ fulcio: null, rekorPublicKeyData: data }), "JSON object"],
    [
      "of two kinds of Rekor's keys",
      () => ask({ keyData: data, rekorPublicKeyData: data, rekorPublicKeyDatas: [data] }),
      "at most one of",
    ],
    [
      "of another authority without a subject",
      () => ask({ pki: { caRootsData: data } }),
      "At least one of subjectEmail, subjectHostname",
    ],
    ["of another authority without a root", () => ask({ pki: { subjectEmail: email } }), "one of caRootsPath"],
    [
      "of another authority with two roots",
      () => ask({ pki: { subjectEmail: email, caRootsData: data, caRootsPath: "/x" } }),
      "one of caRootsPath",
    ],
    [
      "of another authority with a field more",
      () => ask({ pki: { subjectEmail: email, caRootsData: data, oidcIssuer: issuer } }),
      'Unknown key "oidcIssuer"',
    ],
  ]);
});
