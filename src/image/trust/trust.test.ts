import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../digest.ts";
import { parseReference, withDefaultTag } from "../reference.ts";
import { type CheckedImage, checkPolicy } from "./check.ts";
import { matchesIdentity } from "./identity.ts";
import { makePayload, parsePayload } from "./payload.ts";
import { parsePolicy, type SignedIdentity } from "./policy.ts";
import { loadPolicy } from "./policy-file.ts";
import { publicKeyOf } from "./public-key.ts";
import { signatureStorage } from "./registries-d.ts";
import { referenceScopes, requirementsFor, scopesOfPlace } from "./scopes.ts";
import { decodeSignature, encodeSignature, type Signature } from "./signature.ts";
import { sigstoreSigner, verifySigstore } from "./sigstore.ts";
import { generateSigstoreKey, readSigstoreKey } from "./sigstore-key.ts";
import { skopeoMade } from "./test-skopeo.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "galley-trust-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const manifest = Buffer.from('{"schemaVersion":2}');
const anything = [{ type: "insecureAcceptAnything" }];

/** A pair that never was in a file: scrypt takes its time. */
function freshPair() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: String(publicKey.export({ type: "spki", format: "pem" })) };
}

describe("sigstore's keys", () => {
  // scrypt is slow on purpose.
  const patient = 60_000;
  test(
    "are read with their passphrase only",
    () => {
      const { privateKey, publicKey } = generateSigstoreKey("secret");
      expect(readSigstoreKey(privateKey, "secret", "k").asymmetricKeyType).toBe("ec");
      expect(publicKeyOf(publicKey, "p").asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
      expect(() => readSigstoreKey(privateKey, "wrong", "k")).toThrow("decryption failed");
      const text = Buffer.from(privateKey.split("\n").slice(1, -2).join(""), "base64").toString();
      const costly = Buffer.from(text.replace('"N":65536', '"N":1048576')).toString("base64");
      const block = (content: string, label = "ENCRYPTED COSIGN PRIVATE KEY") =>
        `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
      expect(() => readSigstoreKey(block(costly), "secret", "k")).toThrow("unsupported scrypt parameters");
      expect(() => readSigstoreKey(block("AAAA", "PRIVATE KEY"), "", "k")).toThrow("unsupported pem type");
      expect(() => readSigstoreKey("nothing", "", "k")).toThrow("invalid pem block");
      expect(() => publicKeyOf(privateKey, "k")).toThrow("not a public key");
    },
    patient,
  );

  test(
    "and signatures of skopeo's are understood",
    () => {
      const { publicKey, privateKey, signature, manifest: signed } = skopeoMade;
      const key = readSigstoreKey(privateKey, "secret", "k");
      expect(createPublicKey(key).equals(publicKeyOf(publicKey, "p"))).toBeTrue();
      const read = decodeSignature(Buffer.from(signature), "s");
      if (read.format !== "sigstore-json") throw new Error("another format");
      const claim = { digest: digestOf(signed), identity: "127.0.0.1:5999/c:1" };
      expect(verifySigstore(read, [publicKeyOf(publicKey, "p")])).toEqual(claim);
    },
    patient,
  );

  test("sign what only they verify", async () => {
    const pair = freshPair();
    const signature = await sigstoreSigner(pair.privateKey).sign(manifest, "host/a:1");
    if (signature.format !== "sigstore-json") throw new Error("another format");
    const own = publicKeyOf(pair.publicKey, "p");
    const other = publicKeyOf(freshPair().publicKey, "p");
    expect(verifySigstore(signature, [other, own])).toEqual({ digest: digestOf(manifest), identity: "host/a:1" });
    expect(() => verifySigstore(signature, [other])).toThrow("cryptographic signature verification failed");
    expect(() => verifySigstore({ ...signature, annotations: {} }, [own])).toThrow("missing");
    const changed = Buffer.from(Buffer.from(signature.payload).toString().replace("host/a:1", "host/b:1"));
    expect(() => verifySigstore({ ...signature, payload: changed }, [own])).toThrow("verification failed");
  });
});

describe("signatures as files", () => {
  test("are read as they were written", () => {
    const all: readonly Signature[] = [
      { format: "simple-signing", content: Buffer.from([0xa3, 1, 2]) },
      { format: "sigstore-json", mediaType: "m", payload: Buffer.from("p\n"), annotations: { a: "b" } },
    ];
    for (const one of all) expect(decodeSignature(encodeSignature(one), "s")).toEqual(one);
  });

  for (const [what, text, message] of [
    ["nothing", "", "unrecognized"],
    ["text", "hello", "unrecognized"],
    ["another format", "\0other\n{}", 'unrecognized signature format "other"'],
    ["no line end", "\0sigstore-json{}", "unrecognized"],
    ["no JSON", "\0sigstore-json\n{", "not readable"],
    ["annotations of numbers", '\0sigstore-json\n{"mimeType":"a","payload":"","annotations":{"a":1}}', "not readable"],
  ] as const) {
    test(`${what} is refused`, () => expect(() => decodeSignature(Buffer.from(text), "s")).toThrow(message));
  }
});

describe("what is signed", () => {
  const type = "atomic container signature";
  const good = JSON.parse(Buffer.from(makePayload(type, manifest, "host/a:1")).toString()) as {
    critical: Record<string, unknown>;
    optional: Record<string, unknown>;
  };
  const parse = (value: unknown) =>
    parsePayload(type, Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

  test("names a manifest and an image", () => {
    expect(parse(good)).toEqual({ digest: digestOf(manifest), identity: "host/a:1" });
    expect(parse({ ...good, optional: { anything: [1], creator: "x", timestamp: 1 } }).identity).toBe("host/a:1");
    expect(parse({ ...good, optional: null }).identity).toBe("host/a:1");
  });

  for (const [what, value, message] of [
    ["another type", { ...good, critical: { ...good.critical, type: "x" } }, "Unrecognized signature type x"],
    ["a field more", { ...good, more: 1 }, 'Unexpected key "more"'],
    ["a field more inside", { ...good, critical: { ...good.critical, more: 1 } }, 'Unexpected key "more"'],
    ["a field less", { critical: good.critical }, 'Key "optional" missing'],
    [
      "a bad digest",
      { ...good, critical: { ...good.critical, image: { "docker-manifest-digest": "sha256:0" } } },
      "invalid docker-manifest-digest",
    ],
    ["half a second", { ...good, optional: { timestamp: 1.5 } }, "not an integer"],
    [
      "a field twice",
      JSON.stringify(good).replace('"optional"', '"critical":{},"optional"'),
      'Duplicate key "critical"',
    ],
    ["no JSON", "{", "Invalid signature"],
  ] as const) {
    test(`${what} is refused`, () => expect(() => parse(value)).toThrow(message));
  }
});

describe("names that signatures may give", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const plain = (type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository"): SignedIdentity => ({ type });
  const remap = { type: "remapIdentity", prefix: "mirror.io/x", signedPrefix: "vendor.io" } as const;
  for (const [identity, meant, signed, matches] of [
    [plain("matchExact"), "h.io/a:1", "h.io/a:1", true],
    [plain("matchExact"), "h.io/a:1", "h.io/a:2", false],
    [plain("matchExact"), `h.io/a@${digest}`, "h.io/a:1", false],
    [plain("matchExact"), "h.io/a:1", "h.io/a", false],
    [plain("matchExact"), "busybox:1", "docker.io/library/busybox:1", true],
    [plain("matchRepoDigestOrExact"), `h.io/a@${digest}`, "h.io/a:1", true],
    [plain("matchRepoDigestOrExact"), `h.io/a@${digest}`, "h.io/b:1", false],
    [plain("matchRepoDigestOrExact"), "h.io/a:1", "h.io/a:2", false],
    [plain("matchRepository"), "h.io/a:1", "h.io/a:2", true],
    [plain("matchRepository"), "h.io/a:1", "h.io/b:1", false],
    [plain("matchRepository"), "h.io/a:1", "h.io/A:1", false],
    [{ type: "exactReference", dockerReference: "v.io/a:1" }, "h.io/a:1", "v.io/a:1", true],
    [{ type: "exactReference", dockerReference: "v.io/a:1" }, "h.io/a:1", "h.io/a:1", false],
    [{ type: "exactRepository", dockerRepository: "v.io/a" }, undefined, "v.io/a:7", true],
    [remap, "mirror.io/x/a:1", "vendor.io/a:1", true],
    [remap, "mirror.io/xy/a:1", "vendor.io/a:1", false],
    [remap, "other.io/a:1", "other.io/a:1", true],
    [plain("matchExact"), undefined, "h.io/a:1", false],
  ] as const satisfies readonly (readonly [SignedIdentity, string | undefined, string, boolean])[]) {
    test(`${JSON.stringify(identity)}: ${meant} signed as ${signed}`, () => {
      const reference = meant === undefined ? undefined : withDefaultTag(parseReference(meant));
      expect(matchesIdentity(identity, reference, signed)).toBe(matches);
    });
  }
});

describe("scopes", () => {
  test("of a name go from the tag to the wildcard", () => {
    expect(referenceScopes(parseReference("sub.example.com:5000/a/b:1"))).toEqual([
      "sub.example.com:5000/a/b:1",
      "sub.example.com:5000/a/b",
      "sub.example.com:5000/a",
      "sub.example.com:5000",
      "*.example.com",
      "*.com",
    ]);
  });

  test("of a path have no links in them", () => {
    mkdirSync(join(home, "real"));
    symlinkSync("real", join(home, "link"));
    expect(scopesOfPlace({ transport: "dir", path: join(home, "link/new") }).slice(0, 2)).toEqual([
      join(home, "real/new"),
      join(home, "real"),
    ]);
  });

  test("the narrowest decides, then the transport's own, then the default", () => {
    const reject = [{ type: "reject" }];
    const transports = { docker: { "h.io/a": anything, "*.io": reject, "": anything }, dir: { "": reject } };
    const policy = parsePolicy(JSON.stringify({ default: anything, transports }), "p");
    const where = (name: string) =>
      requirementsFor({ policy, file: "p" }, { transport: "docker", reference: parseReference(name) }).where;
    expect(where("h.io/a/b:1")).toBe('transports.docker["h.io/a"]');
    expect(where("h.io/b:1")).toBe('transports.docker["*.io"]');
    expect(where("h.com/b:1")).toBe('transports.docker[""]');
    const oci = requirementsFor({ policy, file: "p" }, { transport: "oci", path: "/x" });
    expect(oci.where).toBe("default");
  });
});

describe("a policy that is wrong is refused", () => {
  const signed = { type: "signedBy", keyType: "GPGKeys" };
  for (const [what, value, message] of [
    ["no default", { transports: {} }, "Default policy is missing"],
    ["an unknown key", { default: anything, transport: {} }, 'Unknown key "transport"'],
    ["no requirement", { default: [] }, "must not be empty"],
    ["an unknown requirement", { default: [{ type: "trust" }] }, 'Unknown policy requirement type "trust"'],
    ["an unknown key inside", { default: [{ type: "reject", why: "x" }] }, 'Unknown key "why"'],
    ["no key", { default: [signed] }, "exactly one of keyPath"],
    ["two keys", { default: [{ ...signed, keyPath: "/a", keyData: "AA==" }] }, "exactly one of keyPath"],
    ["no kind of key", { default: [{ type: "signedBy", keyPath: "/a" }] }, "Unrecognized keyType"],
    ["keys that are none", { default: [{ type: "sigstoreSigned", keyPaths: [] }] }, "contains no entries"],
    [
      "an unknown identity",
      { default: [{ ...signed, keyPath: "/a", signedIdentity: { type: "x" } }] },
      "Unknown policy reference match type",
    ],
    ["a scope that is no path", { default: anything, transports: { dir: { "a/b": anything } } }, "no absolute path"],
    ["a key twice", `{"default":${JSON.stringify(anything)},"default":[{"type":"reject"}]}`, 'Duplicate key "default"'],
    ["no JSON", "{", "invalid policy in"],
  ] as const) {
    test(what, () => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      expect(() => parsePolicy(text, "p")).toThrow(message);
    });
  }

  test("the user's own file comes before the host's", () => {
    mkdirSync(join(home, ".config/containers"), { recursive: true });
    const file = join(home, ".config/containers/policy.json");
    writeFileSync(file, JSON.stringify({ default: [{ type: "reject" }] }));
    expect(loadPolicy({ HOME: home })).toEqual({ file, policy: { default: [{ type: "reject" }], transports: {} } });
    expect(() => loadPolicy({ HOME: home }, join(home, "none.json"))).toThrow("no such file");
  });
});

describe("an image is judged", () => {
  const place = { transport: "docker", reference: parseReference("h.io/a:1") } as const;
  const image = (...signatures: Signature[]): CheckedImage => ({
    place,
    name: "docker://h.io/a:1",
    manifest,
    signatures: async () => signatures,
  });
  const judge = (requirements: unknown, ...signatures: Signature[]) =>
    checkPolicy(
      { policy: parsePolicy(JSON.stringify({ default: requirements }), "p.json"), file: "p.json" },
      image(...signatures),
    );
  const pair = freshPair();
  const sign = (bytes: Uint8Array, name: string) => sigstoreSigner(pair.privateKey).sign(bytes, name);
  const keyData = Buffer.from(pair.publicKey).toString("base64");
  const sigstore = [{ type: "sigstoreSigned", keyData, signedIdentity: { type: "matchRepository" } }];

  test("by all requirements", async () => {
    await judge(anything);
    await expect(judge([...anything, { type: "reject" }])).rejects.toThrow(
      "Source image rejected: Running image docker://h.io/a:1 is rejected by policy.",
    );
  });

  test("by one signature of several", async () => {
    await judge(sigstore, await sign(manifest, "h.io/b:1"), await sign(manifest, "h.io/a:2"));
    await expect(judge(sigstore)).rejects.toThrow("A signature was required, but no signature exists");
    await expect(judge(sigstore, await sign(manifest, "h.io/b:1"))).rejects.toThrow(
      'Signature for identity "h.io/b:1" is not accepted',
    );
    await expect(judge(sigstore, await sign(Buffer.from("x"), "h.io/a:1"))).rejects.toThrow("does not match");
    const simple = { format: "simple-signing", content: Buffer.from([0xa3]) } as const;
    await expect(judge(sigstore, simple)).rejects.toThrow("(1 non-sigstore signatures,");
  });

  test("not at all where it cannot be", async () => {
    await expect(judge([{ type: "signedBy", keyType: "X509Certificates", keyData }])).rejects.toThrow("Unimplemented");
    await expect(judge([{ type: "signedBaseLayer", baseLayerIdentity: { type: "matchExact" } }])).rejects.toThrow(
      "not implemented",
    );
  });
});

describe("signature storage", () => {
  const storage = (name: string) => signatureStorage(parseReference(name), { HOME: home }, home);
  test("is where the narrowest namespace says, setting by setting", () => {
    writeFileSync(
      join(home, "a.yaml"),
      "default-docker:\n  lookaside: https://all.example/\n  use-sigstore-attachments: true\n" +
        "docker:\n  h.io:\n    lookaside-staging: file:///staging\n  h.io/a:\n    sigstore: file:///own\n    use-sigstore-attachments: false\n",
    );
    expect(storage("other.io/x")).toEqual({
      read: "https://all.example",
      write: "https://all.example",
      attachments: true,
    });
    expect(storage("h.io/b")).toEqual({ read: "https://all.example", write: "file:///staging", attachments: true });
    expect(storage("h.io/a/c")).toEqual({ read: "file:///own", write: "file:///own", attachments: false });
  });

  test("is refused where two files say the same, or one says nonsense", () => {
    writeFileSync(join(home, "a.yaml"), "docker:\n  h.io:\n    lookaside: ftp://x\n");
    expect(() => storage("h.io/a")).toThrow("Invalid signature storage URL");
    writeFileSync(join(home, "a.yaml"), "docker:\n  h.io: {}\n");
    writeFileSync(join(home, "b.yaml"), "docker:\n  h.io: {}\n");
    expect(() => storage("h.io/a")).toThrow("is defined both in");
  });

  test("is a directory of the host where nothing is said", () => {
    expect(storage("h.io/a")).toMatchObject({
      read: expect.stringMatching(/^file:.*containers\/sigstore$/),
      attachments: false,
    });
  });
});
