/** Certificates of Fulcio's beside signatures; [sigstore-lab.ts](sigstore-lab.ts) says where the answers are from. */
import { afterAll, beforeAll, describe } from "bun:test";
import { chainOf } from "../harness/sigstore.ts";
import { authority, base64, cases, email, issuer, middle, SigstoreLab, signer } from "./sigstore-lab.ts";

let lab: SigstoreLab;
beforeAll(() => {
  if (Bun.which("openssl") !== null) lab = new SigstoreLab();
});
afterAll(() => lab?.stop(), 60_000);

/** A signer's lines of extensions without one, and with others. */
const but = (part: string, ...more: string[]) => [...signer.filter((line) => !line.includes(part)), ...more];

const accepted = "accepted";
const unknown = "unknown authority";

describe("Fulcio's certificate", () => {
  type Wish = Parameters<SigstoreLab["signer"]>[0];
  const ask = (wish: Wish = {}, more: object = {}, fulcio: object = {}) => {
    return lab.judge(lab.asks(fulcio), lab.fulcio(lab.signer(wish), more));
  };
  const edge = (seconds: number) => ask({}, { time: middle + seconds });
  const outside = "has expired or is not yet valid";
  cases([
    ["at its first second", () => edge(-300), accepted],
    ["at its last second", () => edge(300), accepted],
    ["a second before", () => edge(-301), outside],
    ["a second after", () => edge(301), outside],
    ["of another issuer", () => ask({}, {}, { oidcIssuer: "https://other.example/" }), "Unexpected Fulcio OIDC issuer"],
    [
      "of an issuer without the slash",
      () => ask({}, {}, { oidcIssuer: issuer.slice(0, -1) }),
      "Unexpected Fulcio OIDC issuer",
    ],
    ["with the issuer as bare text", () => ask({ extensions: but("57264.1.8") }), accepted],
    ["with the issuer as UTF8String", () => ask({ extensions: but("57264.1.1=") }), accepted],
    [
      "with the issuer as IA5String",
      () => ask({ extensions: [...but("57264"), `1.3.6.1.4.1.57264.1.8=ASN1:IA5String:${issuer}`] }),
      accepted,
    ],
    [
      "with the issuer as octets",
      () => ask({ extensions: [...but("57264"), `1.3.6.1.4.1.57264.1.8=ASN1:OCTETSTRING:${issuer}`] }),
      "invalid ASN.1",
    ],
    [
      "with something behind the issuer",
      () => ask({ extensions: [...but("57264"), `1.3.6.1.4.1.57264.1.8=DER:0c016100`] }),
      "trailing data",
    ],
    [
      "with two issuers",
      () => ask({ extensions: [...but("57264.1.8"), `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://other.example/`] }),
      "inconsistent OIDC issuer",
    ],
    ["with no issuer", () => ask({ extensions: but("57264") }), "missing the issuer extension"],
    ["of another address", () => ask({}, {}, { subjectEmail: "other@example.com" }), "Required email"],
    ["of an address in capitals", () => ask({}, {}, { subjectEmail: email.toUpperCase() }), "Required email"],
    [
      "of a second address",
      () => ask({ extensions: but("subjectAltName", `subjectAltName=email:a@b.example,email:${email}`) }),
      accepted,
    ],
    [
      "with a URI for a name",
      () => ask({ extensions: but("subjectAltName", `subjectAltName=critical,URI:https://${email}/`) }),
      "Required email",
    ],
    [
      "with another kind of name that is critical",
      () => ask({ extensions: but("subjectAltName", `subjectAltName=critical,otherName:1.2.3;UTF8:${email}`) }),
      "Required email",
    ],
    ["with no name", () => ask({ extensions: but("subjectAltName") }), "Required email"],
    [
      "for any use",
      () => ask({ extensions: but("extendedKeyUsage", "extendedKeyUsage=anyExtendedKeyUsage") }),
      accepted,
    ],
    ["for no use in particular", () => ask({ extensions: but("extendedKeyUsage") }), accepted],
    [
      "for servers",
      () => ask({ extensions: but("extendedKeyUsage", "extendedKeyUsage=serverAuth") }),
      "incompatible key usage",
    ],
    [
      "for servers and code",
      () => ask({ extensions: but("extendedKeyUsage", "extendedKeyUsage=critical,serverAuth,codeSigning") }),
      accepted,
    ],
    [
      "with an unknown critical extension",
      () => ask({ extensions: [...signer, "1.2.3.4=critical,DER:0500"] }),
      "unhandled critical extension",
    ],
    ["with an unknown extension", () => ask({ extensions: [...signer, "1.2.3.4=DER:0500"] }), accepted],
    ["of Ed25519", () => ask({ key: ["-algorithm", "ED25519"] }), accepted],
    ["of RSA", () => ask({ key: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] }), accepted],
    [
      "of P-384, signed with SHA-384",
      () => ask({ key: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], hash: "sha384" }),
      accepted,
    ],
    ["signed with SHA-512", () => ask({ hash: "sha512" }), accepted],
    ["signed with SHA-1", () => ask({ hash: "sha1" }), "algorithm"],
    ["signed with SHA-224", () => ask({ hash: "sha224" }), "algorithm"],
  ]);

  const brought = (change: (annotations: Record<string, string>) => void) => {
    const annotations = lab.fulcio(lab.signer());
    change(annotations);
    return lab.judge(lab.asks(), annotations);
  };
  const [certificate, chain] = ["dev.sigstore.cosign/certificate", "dev.sigstore.cosign/chain"] as const;
  cases([
    ["is missing", () => brought((it) => delete it[certificate]), "missing dev.sigstore.cosign/certificate annotation"],
    [
      "without a promise",
      () => brought((it) => delete it["dev.sigstore.cosign/bundle"]),
      "missing dev.sigstore.cosign/bundle annotation",
    ],
    [
      "without a signature",
      () => brought((it) => delete it["dev.cosignproject.cosign/signature"]),
      "missing dev.cosignproject.cosign/signature annotation",
    ],
    ["twice", () => brought((it) => (it[certificate] = `${it[certificate]}${it[certificate]}`)), "PEM"],
    ["with an empty line behind it", () => brought((it) => (it[certificate] = `${it[certificate]}\n`)), "PEM"],
    ["with text before it", () => brought((it) => (it[certificate] = `hello\n${it[certificate]}`)), accepted],
    [
      "without its last line end",
      () => brought((it) => (it[certificate] = it[certificate]?.trimEnd() ?? "")),
      accepted,
    ],
    ["with a chain that is no PEM", () => brought((it) => (it[chain] = "x")), "PEM"],
    ["with an empty chain", () => brought((it) => (it[chain] = "")), accepted],
    [
      "with a payload that was changed",
      () => lab.judge(lab.asks(), lab.fulcio(lab.signer()), { payload: `${lab.payload} ` }),
      "payload in Rekor SET does not match",
    ],
  ]);
});

describe("a chain of Fulcio's", () => {
  interface Chain {
    readonly root?: Parameters<SigstoreLab["issue"]>[0];
    readonly middle?: Partial<Parameters<SigstoreLab["issue"]>[0]>;
    readonly leaf?: Parameters<SigstoreLab["signer"]>[0];
    readonly brought?: "all" | "middle" | "root" | "none";
    readonly fulcio?: object;
    readonly alone?: boolean;
  }
  const short = { key: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:768"] };
  const ask = ({ root: wish, middle: more, leaf: wanted, brought = "all", fulcio, alone }: Chain) => {
    const root = wish === undefined ? lab.root : lab.issue(wish);
    const between = lab.issue({ name: "between", by: root, extensions: authority, ...more });
    const leaf = lab.signer({ by: between, ...wanted });
    const chains = { all: chainOf(between, root), middle: chainOf(between), root: chainOf(root), none: undefined };
    const chain = chains[brought];
    const annotations = lab.fulcio(leaf, chain === undefined ? {} : { chain });
    const requirement = lab.asks({ caData: base64(root.certificate), ...fulcio });
    return lab.judge(requirement, annotations, { alone });
  };
  const root = (...extensions: string[]) => ({ name: "root", extensions });
  const notAuthorized = "not authorized to sign";
  cases([
    ["leads to the root", () => ask({}), accepted],
    ["without what is between", () => ask({ brought: "none" }), unknown],
    ["without the root, whose place is the last", () => ask({ brought: "middle" }), unknown],
    ["of the root alone", () => ask({ brought: "root" }), unknown],
    [
      "of another root",
      () =>
        ask({ fulcio: { caData: base64(lab.issue({ ...root(...authority), from: "20210101000000Z" }).certificate) } }),
      unknown,
    ],
    [
      "of one of two roots",
      () =>
        ask({
          fulcio: { caData: base64(`first\n${lab.issue(root(...authority)).certificate}x\n${lab.root.certificate}`) },
        }),
      accepted,
    ],
    ["of no root", () => ask({ fulcio: { caData: base64("none") } }), "error loading"],
    ["over no authority", () => ask({ middle: { extensions: ["basicConstraints=CA:FALSE"] } }), notAuthorized],
    ["over one that says nothing", () => ask({ middle: { extensions: [] } }), notAuthorized],
    [
      "over one that may not sign",
      () => ask({ middle: { extensions: ["basicConstraints=CA:TRUE", "keyUsage=digitalSignature"] } }),
      notAuthorized,
    ],
    [
      "over one that says not what its key is for",
      () => ask({ middle: { extensions: ["basicConstraints=CA:TRUE"] } }),
      accepted,
    ],
    ["over one that had expired", () => ask({ middle: { to: "20231231000000Z" } }), "expired"],
    ["over a root that had expired", () => ask({ root: { ...root(...authority), to: "20231231000000Z" } }), "expired"],
    [
      "over one for servers",
      () => ask({ middle: { extensions: [...authority, "extendedKeyUsage=serverAuth"] } }),
      "usage",
    ],
    [
      "over one for code",
      () => ask({ middle: { extensions: [...authority, "extendedKeyUsage=codeSigning"] } }),
      accepted,
    ],
    ["over a root for servers", () => ask({ root: root(...authority, "extendedKeyUsage=serverAuth") }), "usage"],
    ["over a root that is no authority", () => ask({ root: root("basicConstraints=CA:FALSE") }), notAuthorized],
    [
      "longer than the root allows",
      () => ask({ root: root("basicConstraints=critical,CA:TRUE,pathlen:0") }),
      "too many intermediates",
    ],
    ["as long as the root allows", () => ask({ root: root("basicConstraints=critical,CA:TRUE,pathlen:1") }), accepted],
    [
      "over one that allows none",
      () => ask({ middle: { extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0"] } }),
      accepted,
    ],
    [
      "over one with an unknown critical extension",
      () => ask({ middle: { extensions: [...authority, "1.2.3.4=critical,DER:0500"] } }),
      "unhandled critical",
    ],
    [
      "over one that is critical of its policies",
      () =>
        ask({
          middle: {
            extensions: [
              ...authority,
              "certificatePolicies=critical,1.2.3.4",
              "policyConstraints=critical,requireExplicitPolicy:3",
              "inhibitAnyPolicy=critical,2",
            ],
          },
        }),
      accepted,
    ],
    ["over one of Ed25519", () => ask({ middle: { key: ["-algorithm", "ED25519"] } }), accepted],
    [
      "over one of RSA",
      () => ask({ middle: { key: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] } }),
      accepted,
    ],
    // Go refuses keys as short since 1.24, unless it is told to be as it was, which Debian's skopeo 1.22 is.
    ["over one of RSA that is short", () => ask({ middle: short, alone: true }), "RSA key"],
  ]);

  const named = (constraint: string, extensions = signer) =>
    ask({ middle: { extensions: [...authority, `nameConstraints=${constraint}`] }, leaf: { extensions } });
  const denied = "not authorized to sign for this name";
  cases([
    ["for addresses of a domain", () => named("critical,permitted;email:example.com"), accepted],
    ["for addresses of domains below", () => named("critical,permitted;email:.example.com"), denied],
    ["for addresses of another domain", () => named("critical,permitted;email:other.example"), denied],
    ["for addresses of another domain, not critical", () => named("permitted;email:other.example"), denied],
    ["for one address", () => named("critical,permitted;email:signer@EXAMPLE.com"), accepted],
    ["for all addresses but these", () => named("critical,excluded;email:example.com"), denied],
    ["for all addresses but others", () => named("critical,excluded;email:other.example"), accepted],
    ["for hosts", () => named("critical,permitted;DNS:other.example"), accepted],
    ["for directory names", () => named("critical,permitted;dirName:names"), "unhandled critical"],
    [
      "for a host that is excluded by a wildcard",
      () =>
        named(
          "critical,excluded;DNS:a.example.com",
          but("subjectAltName", `subjectAltName=email:${email},DNS:*.example.com`),
        ),
      denied,
    ],
    [
      "for networks",
      () =>
        named(
          "critical,permitted;IP:10.0.0.0/255.0.0.0",
          but("subjectAltName", `subjectAltName=email:${email},IP:11.0.0.1`),
        ),
      denied,
    ],
    [
      "for networks that fit",
      () =>
        named(
          "critical,permitted;IP:10.0.0.0/255.0.0.0",
          but("subjectAltName", `subjectAltName=email:${email},IP:10.9.0.1`),
        ),
      accepted,
    ],
    [
      "for places",
      () =>
        named(
          "critical,permitted;URI:.example.com",
          but("subjectAltName", `subjectAltName=email:${email},URI:https://a.example.com/x`),
        ),
      accepted,
    ],
    [
      "for other places",
      () =>
        named(
          "critical,permitted;URI:.example.com",
          but("subjectAltName", `subjectAltName=email:${email},URI:https://example.com/x`),
        ),
      denied,
    ],
  ]);
});
