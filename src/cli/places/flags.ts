import type { FlagSet } from "../flags/flag.ts";
import { bool, duration, int, string } from "../flags/kinds.ts";

/** Where a flag is about: the only place that a command has, or one of the two of a copy. */
export type Side = "" | "src-" | "dest-";

/** Flags that say how a registry is reached: skopeo's. */
export function registryFlags(side: Side): FlagSet {
  return {
    [`${side}creds`]: string({
      usage: "Use USERNAME[:PASSWORD] for accessing the registry",
      type: "USERNAME[:PASSWORD]",
    }),
    [`${side}username`]: string({ usage: "Username for accessing the registry" }),
    [`${side}password`]: string({ usage: "Password for accessing the registry" }),
    [`${side}registry-token`]: string({ usage: "Provide a Bearer token for accessing the registry" }),
    [`${side}no-creds`]: bool({ usage: "Access the registry anonymously" }),
    [`${side}cert-dir`]: string({
      usage: "Use certificates at PATH (*.crt, *.cert, *.key) to connect to the registry or daemon",
      type: "PATH",
    }),
    [`${side}tls-verify`]: bool({
      usage: "Require HTTPS and verify certificates when talking to the registry or daemon",
    }),
  };
}

/** Podman's few: how a registry is reached by commands that are about something else. */
export function accessFlags(): FlagSet {
  const { creds, "cert-dir": certificates, "tls-verify": verify } = registryFlags("");
  const { authfile } = commonFlags();
  const all = { authfile, creds, "cert-dir": certificates, "tls-verify": verify };
  return Object.fromEntries(Object.entries(all).filter(([, flag]) => flag !== undefined)) as FlagSet;
}

/** Flags that say how any place is reached. */
export function placeFlags(side: Side): FlagSet {
  return {
    ...registryFlags(side),
    [`${side}daemon-host`]: string({ usage: "Use docker daemon host at HOST (docker-daemon: only)", type: "HOST" }),
    [`${side}shared-blob-dir`]: string({
      usage: "DIRECTORY to use to share blobs across OCI repositories",
      type: "DIRECTORY",
    }),
  };
}

/** How often a request is tried again, under skopeo's name or podman's. */
export function retryFlags(name: "retry-times" | "retry"): FlagSet {
  return {
    [name]: int({ usage: "How often a request is repeated that failed in a way that may pass (default 4)" }),
    "retry-delay": duration({ usage: "Time between repetitions in place of growing ones" }),
  };
}

/** What each of the commands takes. Those that skopeo takes before a command's name are taken here too, after it. */
export function commonFlags(): FlagSet {
  return {
    authfile: string({ usage: "Path of the file with the logins" }),
    ...retryFlags("retry-times"),
    "override-arch": string({
      usage: "Use ARCH instead of this machine's architecture for choosing images",
      type: "ARCH",
    }),
    "override-os": string({ usage: "Use OS instead of linux for choosing images", type: "OS" }),
    "override-variant": string({ usage: "Use VARIANT instead of this machine's for choosing images", type: "VARIANT" }),
    tmpdir: string({ usage: "Directory for temporary files", type: "DIRECTORY" }),
    "command-timeout": duration({ usage: "Give up after this time", initial: undefined }),
    "insecure-policy": bool({ usage: "Accept any image, whatever the trust policy says" }),
    policy: string({ usage: "Path of the trust policy in place of policy.json", type: "PATH" }),
    "registries.d": string({ usage: "Use the settings of signature storage in DIR", type: "DIR" }),
    "registries-conf": string({ usage: "Path of registries.conf", hidden: true, type: "PATH" }),
    "require-signed": bool({ usage: "Accept only images whose signatures the policy checks" }),
    "tls-details": string({ usage: "Path of TLS settings: versions, suites and groups", type: "PATH" }),
    "user-agent-prefix": string({ usage: "Prefix of the user agent in requests" }),
  };
}

/** Flags of `inspect` that concern images at a transport. */
export function inspectFlags() {
  return {
    ...commonFlags(),
    ...placeFlags(""),
    "as-skopeo": bool({ usage: "", hidden: true }),
    raw: bool({ usage: "Output the raw manifest or configuration (TRANSPORT:IMAGE)" }),
    config: bool({ usage: "Output the configuration (TRANSPORT:IMAGE)" }),
    "no-tags": bool({ short: "n", usage: "Do not list the available tags of the repository (TRANSPORT:IMAGE)" }),
    "manifest-digest": string({ usage: "Algorithm for the manifest's digest: sha256, sha512", hidden: true }),
  };
}

/** Flags of copies: what of an image is copied, and as what. */
export function copyFlags(): FlagSet {
  return {
    all: bool({ short: "a", usage: "Copy all images if SOURCE-IMAGE is a list" }),
    format: string({
      short: "f",
      usage: "MANIFEST TYPE (oci or v2s2) to use in the destination",
      type: "MANIFEST TYPE",
    }),
    "preserve-digests": bool({ usage: "Preserve digests of images and lists" }),
    "remove-signatures": bool({ usage: "Do not copy signatures from SOURCE-IMAGE" }),
    digestfile: string({ usage: "Write the digest of the copied image to the file" }),
    "src-authfile": string({ usage: "Path of the file with the logins for the source" }),
    "dest-authfile": string({ usage: "Path of the file with the logins for the destination" }),
    screds: string({ usage: "", hidden: true, aliasOf: "src-creds" }),
    dcreds: string({ usage: "", hidden: true, aliasOf: "dest-creds" }),
    ...signingFlags(),
  };
}

/** Flags of whatever signs what it copies. */
export function signingFlags(): FlagSet {
  return {
    "sign-by": string({ usage: "Sign the image using a GPG key with the specified FINGERPRINT", type: "FINGERPRINT" }),
    "sign-by-sigstore": string({ usage: "Sign the image using a sigstore parameter file at PATH", type: "PATH" }),
    "sign-by-sigstore-private-key": string({
      usage: "Sign the image using a sigstore private key at PATH",
      type: "PATH",
    }),
    "sign-by-sq-fingerprint": string({ usage: "Sign the image using Sequoia-PGP", hidden: true }),
    "sign-passphrase-file": string({ usage: "Read a passphrase for signing an image from PATH", type: "PATH" }),
    "sign-identity": string({ usage: "Name that is signed in place of the destination's" }),
  };
}

/** Values of flags whose names are put together. */
export class Flags {
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly changed: ReadonlySet<string>,
  ) {}

  /** Empty text counts as not given. */
  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  truth(name: string): boolean {
    return this.values[name] === true;
  }

  /** `undefined` where a switch was not given. */
  choice(name: string): boolean | undefined {
    return this.changed.has(name) ? this.truth(name) : undefined;
  }

  number(name: string): number | undefined {
    const value = this.values[name];
    return typeof value === "number" ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
  }

  /** The same where each occurrence may hold several, divided by commas. */
  words(name: string): readonly string[] {
    return this.texts(name).flatMap((text) => text.split(","));
  }
}
