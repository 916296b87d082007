/** What tests of trust share: a registry, two people with GPG keys, policies, and the real skopeo to compare with. */
import { expect } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore, type Result, type Store } from "../harness/galley.ts";
import { type GpgHome, makeGpgHome } from "../harness/gpg.ts";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file } from "../harness/tar.ts";

/** What these tests need of the machine. */
export const trustNeeds = { commands: ["skopeo", "docker-registry", "gpg"] };

/** A small image for one architecture. */
export function smallImage(architecture: string) {
  return buildImage({ layers: [{ entries: [file("a", architecture)] }], platform: { os: "linux", architecture } });
}

/** Everything that was set up; ended with {@link TrustLab.stop}. */
export class TrustLab {
  #count = 0;

  private constructor(
    readonly directory: string,
    readonly registry: Registry,
    readonly store: Store,
    readonly key: GpgHome,
    readonly other: GpgHome,
  ) {}

  static async start(): Promise<TrustLab> {
    const directory = mkdtempSync(join(tmpdir(), "galley-trust-"));
    const [key, other] = [makeGpgHome(directory, "signer"), makeGpgHome(directory, "other")];
    const registry = await startRegistry();
    await registry.push("team/app", "1", smallImage("amd64"));
    await registry.push("team/app", "list", buildIndex([smallImage("amd64"), smallImage("arm64")]));
    mkdirSync(join(directory, "registries.d"));
    const storage = {
      [registry.host]: { lookaside: `file://${directory}/lookaside`, "use-sigstore-attachments": true },
    };
    writeFileSync(join(directory, "registries.d/test.yaml"), JSON.stringify({ docker: storage }));
    return new TrustLab(directory, registry, createStore(), key, other);
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await this.store.cleanup();
    for (const home of [this.key, this.other]) home.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A path that nothing has used. */
  readonly fresh = (name: string) => join(this.directory, `${++this.#count}-${name}`);

  /** An image of the registry. */
  readonly at = (name: string) => `docker://${this.registry.host}/${name}`;

  /** Flags that say where signatures are. */
  readonly places = () => ["--registries.d", join(this.directory, "registries.d")];

  /** Writes a policy's file. */
  readonly policy = (requirements: unknown, transports: unknown = {}) => {
    const path = this.fresh("policy.json");
    writeFileSync(path, JSON.stringify({ default: requirements, transports }));
    return path;
  };

  /** A new key of sigstore's, as files. */
  readonly sigstoreKey = async () => {
    const [prefix, passphrase] = [this.fresh("key"), this.fresh("passphrase")];
    writeFileSync(passphrase, "secret\n");
    await this.store.ok(["generate-sigstore-key", "--output-prefix", prefix, "--passphrase-file", passphrase]);
    return { secret: `${prefix}.private`, publicKey: `${prefix}.pub`, passphrase };
  };

  /** Galley's copy, with somebody's keys. */
  readonly galley = (args: readonly string[], home = this.key): Promise<Result> =>
    this.store.galley(["copy", "-q", ...this.places(), ...args], { env: home.env });

  /** The same, which must succeed. */
  readonly signs = async (args: readonly string[]): Promise<void> => {
    const { status, stderr } = await this.galley(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  };

  /** The same by the real skopeo. */
  readonly skopeo = (args: readonly string[], globals: readonly string[] = ["--insecure-policy"]) => {
    const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    const words = ["skopeo", ...globals, ...this.places(), "copy", "-q", ...plain, ...args];
    const { exitCode, stderr } = Bun.spawnSync(words, { env: { ...process.env, ...this.key.env } });
    return { status: exitCode, stderr: stderr.toString() };
  };

  /** Whether a policy lets an image be copied: Galley's word, which must be skopeo's. */
  readonly bothSay = async (path: string, from: string): Promise<string> => {
    const theirs = this.skopeo([from, `dir:${this.fresh("theirs")}`], ["--policy", path]);
    const own = await this.galley(["--policy", path, from, `dir:${this.fresh("own")}`]);
    // Debian's skopeo is built without sigstore.
    if (theirs.stderr.includes("sigstore disabled")) return own.status === 0 ? "accepted" : reasonOf(own.stderr);
    expect({ from, status: own.status, said: own.stderr }).toMatchObject({ status: theirs.status === 0 ? 0 : 1 });
    if (theirs.status === 0) return "accepted";
    const reason = reasonOf(theirs.stderr);
    expect(own.stderr).toContain(`Source image rejected: ${reason}`);
    return reason;
  };
}

/** The first words of a refusal; names in it are quoted by some versions only. */
function reasonOf(text: string): string {
  return (/Source image rejected: ([^"%:{(]{10,22})/.exec(text)?.[1] ?? "?").trim();
}

/** A requirement of simple signing by somebody. */
export function signedBy(home: GpgHome, more: object = {}) {
  return [{ type: "signedBy", keyType: "GPGKeys", keyPath: home.publicKey, ...more }];
}
