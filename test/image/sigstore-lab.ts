/**
 * What the tests of sigstore's policies share: one image in a directory, signed in any way. What they expect is what skopeo 1.22 (containers/image 5.39) answers to
 * the same files: where GALLEY_SKOPEO names a skopeo that is built with sigstore, it is asked again. Debian 12's is not.
 */
import { expect } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { toGalleyError } from "../../src/errors.ts";
import { checkPolicy } from "../../src/image/trust/check.ts";
import { parsePolicy } from "../../src/image/trust/policy.ts";
import { decodeSignature } from "../../src/image/trust/signature.ts";
import { Authority, type Issued, type Wish } from "../harness/authority.ts";
import { testWith } from "../harness/requirements.ts";
import {
  annotationsOf,
  type Edits,
  type Entry,
  newPair,
  type Pair,
  payloadOf,
  promiseOf,
  signed,
} from "../harness/sigstore.ts";

/** Extensions of a certificate of an authority. */
export const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
/** Who vouched for the signer. */
export const issuer = "https://issuer.example/";
/** Who signs. */
export const email = "signer@example.com";
/** Extensions of the certificate that Fulcio gives a signer. */
export const signer = [
  "keyUsage=critical,digitalSignature",
  "extendedKeyUsage=codeSigning",
  `subjectAltName=critical,email:${email}`,
  `1.3.6.1.4.1.57264.1.1=DER:${Buffer.from(issuer).toString("hex")}`,
  `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}`,
];

/** Ten minutes of long ago, in which certificates are valid. */
export const hours = { from: "20240101000000Z", to: "20240101001000Z" };
/** Their middle, in seconds since 1970. */
export const middle = Date.UTC(2024, 0, 1, 0, 5) / 1000;

const config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';
const sha = (text: string) => createHash("sha256").update(text).digest("hex");
/** The image that is signed. */
export const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: `sha256:${sha(config)}`,
    size: config.length,
  },
  layers: [],
});

/** The name that signatures give. */
export const identity = "registry.example/app:1";
const signedIdentity = { type: "exactReference", dockerReference: identity };

const mimeType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** How a signature is judged. */
export interface How {
  readonly payload?: string;
  /** Without the other program. */
  readonly alone?: boolean | undefined;
}

/** Everything that was set up; ended with {@link SigstoreLab.stop}. */
export class SigstoreLab {
  #count = 0;
  readonly #issued = new Map<string, Issued>();
  readonly directory = mkdtempSync(join(tmpdir(), "galley-sigstore-"));
  readonly authorities = new Authority(join(this.directory, "authorities"));
  readonly rekor = newPair();
  readonly root: Issued = this.issue({ name: "root", extensions: authority });
  readonly payload = payloadOf(manifest, identity);

  stop(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A certificate; the same one for the same wish. */
  issue(wish: Wish): Issued {
    const key = JSON.stringify(wish);
    const issued = this.#issued.get(key) ?? this.authorities.issue(wish);
    this.#issued.set(key, issued);
    return issued;
  }

  /** A signer's certificate of the root's, valid for {@link hours}. */
  signer(more: Partial<Wish> = {}): Issued {
    return this.issue({ name: "signer", by: this.root, extensions: signer, ...hours, ...more });
  }

  /** Annotations of a signature that Fulcio and Rekor stand for. */
  fulcio(
    leaf: Issued,
    more: { time?: number; chain?: string; edits?: Edits; entry?: Partial<Entry>; rekor?: Pair } = {},
  ) {
    const signature = signed(leaf.key, this.payload);
    const entry = { signer: leaf.certificate, signature, payload: this.payload, ...more.entry };
    const bundle = promiseOf(more.rekor ?? this.rekor, entry, more.time ?? middle, more.edits);
    return annotationsOf({ signature, bundle, certificate: leaf.certificate, chain: more.chain });
  }

  /** The requirement that such a signature meets. */
  asks(fulcio: object = {}, more: object = {}): object {
    const caData = base64(this.root.certificate);
    return {
      fulcio: { caData, oidcIssuer: issuer, subjectEmail: email, ...fulcio },
      rekorPublicKeyData: base64(this.rekor.publicKey),
      ...more,
    };
  }

  /** Galley's word on a signature, which must be skopeo's unless Galley is asked alone: `accepted`, or why not. */
  async judge(requirement: object, annotations: Record<string, string>, how: How = {}): Promise<string> {
    const directory = this.image(annotations, how.payload);
    const policy = this.policy(requirement);
    const said = await this.#own(directory, policy);
    if (how.alone !== true) this.#peer(policy, basename(directory), said);
    return said;
  }

  /** A new directory of the image with one signature. */
  image(annotations: Record<string, string>, payload = this.payload): string {
    const directory = join(this.directory, String(++this.#count));
    mkdirSync(directory);
    const document = { mimeType, payload: base64(payload), annotations };
    writeFileSync(join(directory, "version"), "Directory Transport Version: 1.1\n");
    writeFileSync(join(directory, "manifest.json"), manifest);
    writeFileSync(join(directory, sha(config)), config);
    writeFileSync(join(directory, "signature-1"), `\0sigstore-json\n${JSON.stringify(document)}`);
    return directory;
  }

  /** A new file of a policy. */
  policy(requirement: object): string {
    const file = join(this.directory, `${++this.#count}.json`);
    writeFileSync(file, JSON.stringify({ default: [{ type: "sigstoreSigned", signedIdentity, ...requirement }] }));
    return file;
  }

  async #own(directory: string, policy: string): Promise<string> {
    const place = { transport: "dir", path: directory } as const;
    const file = join(directory, "signature-1");
    const signatures = async () => [decodeSignature(readFileSync(file), file)];
    try {
      const loaded = { policy: parsePolicy(readFileSync(policy, "utf8"), policy), file: policy };
      await checkPolicy(loaded, { place, name: `dir:${directory}`, manifest: Buffer.from(manifest), signatures });
      return "accepted";
    } catch (failure) {
      return toGalleyError(failure).message.replace("Source image rejected: ", "");
    }
  }

  /** Where GALLEY_SKOPEO names a skopeo that has sigstore (Debian 12's has not), what tests expect is compared with what it says. */
  #peer(policy: string, image: string, said: string): void {
    const peer = process.env.GALLEY_SKOPEO?.split(" ");
    if (peer === undefined) return;
    const words = ["--policy", basename(policy), "copy", "-q", `dir:./${image}`, `dir:./${image}-theirs`];
    const run = Bun.spawnSync([...peer, ...words], { cwd: this.directory });
    const theirs = run.stderr.toString().trim();
    expect({ said, theirs }).toEqual({
      said,
      theirs: said === "accepted" ? "" : expect.stringMatching(/rejected|policy/),
    });
  }
}

/** Text in base64. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Tests: their names, what is signed and asked, and words that the answer has. */
export function cases(list: readonly (readonly [string, () => Promise<string>, string])[]): void {
  for (const [name, ask, answer] of list) {
    testWith({ commands: ["openssl"] }, name, async () => expect(await ask()).toContain(answer), 20_000);
  }
}
