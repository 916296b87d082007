/** Flags by which manifest push and artifact push sign; what comes of them is judged by policies. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missing, testWith } from "../harness/requirements.ts";
import { signedBy, TrustLab, trustNeeds } from "./trust-lab.ts";

let lab: TrustLab;
let sigstore: Awaited<ReturnType<TrustLab["sigstoreKey"]>>;
beforeAll(async () => {
  if (missing(trustNeeds) !== undefined) return;
  lab = await TrustLab.start();
  sigstore = await lab.sigstoreKey();
});
afterAll(() => lab?.stop());

const cosigned = () => lab.policy([{ type: "sigstoreSigned", keyPath: sigstore.publicKey }]);
const signed = (more: object = {}) => lab.policy(signedBy(lab.key, more));
const runs = (...args: readonly string[]) => lab.store.ok(args, { env: lab.key.env });
const exactly = (name: string) => ({ signedIdentity: { type: "exactReference", dockerReference: name } });

describe("manifest push and artifact push sign", () => {
  const needs = { ...trustNeeds, root: true };
  // They have no flag that names the directory of signature storage: the user's own is used.
  const own = () => join(lab.store.home, ".config/containers");
  beforeAll(() => {
    if (missing(needs) !== undefined) return;
    mkdirSync(own(), { recursive: true });
    symlinkSync(join(lab.directory, "registries.d"), join(own(), "registries.d"));
  });
  afterAll(() => {
    if (missing(needs) === undefined) rmSync(join(own(), "registries.d"));
  });
  const ways = (): readonly (readonly [flags: readonly string[], policy: string])[] => {
    const parameters = lab.fresh("parameters.yaml");
    writeFileSync(parameters, `privateKeyFile: ${sigstore.secret}\nprivateKeyPassphraseFile: ${sigstore.passphrase}\n`);
    const key = ["--sign-by-sigstore-private-key", sigstore.secret, "--sign-passphrase-file", sigstore.passphrase];
    return [
      [["--sign-by", lab.key.fingerprint], signed()],
      [key, cosigned()],
      [["--sign-by-sigstore", parameters], cosigned()],
      [["--sign-by", lab.key.fingerprint, "--sign-identity", "example.com/it:1"], signed(exactly("example.com/it:1"))],
    ];
  };

  testWith(needs, "a list, and each of its images", async () => {
    await runs("manifest", "create", "unsigned:1");
    await runs("manifest", "add", "--all", "unsigned:1", lab.at("team/app:list"));
    await runs("manifest", "push", "-q", "unsigned:1", lab.at("lists/none:1"));
    expect(await lab.bothSay(signed(), lab.at("lists/none:1"))).toStartWith("A signature was requir");
    for (const [position, [flags, policy]] of ways().entries()) {
      const place = lab.at(`lists/signed:${position}`);
      await runs("manifest", "push", "-q", ...flags, "unsigned:1", place);
      expect(await lab.bothSay(policy, place)).toBe("accepted");
    }
    const { stderr } = await lab.store.galley(["manifest", "push", "--sign-by-sq-fingerprint", "x", "unsigned:1"]);
    expect(stderr).toContain("--sign-by-sq-fingerprint is not supported");
  });

  testWith(needs, "an artifact", async () => {
    const content = lab.fresh("notes.txt");
    writeFileSync(content, "notes");
    const judged = async (policy: string, name: string) => {
      const { status, stderr } = await lab.galley(["--policy", policy, lab.at(name), `dir:${lab.fresh("judged")}`]);
      return status === 0 ? "accepted" : stderr;
    };
    for (const [position, [flags, policy]] of [[[], signed()] as const, ...ways()].entries()) {
      const name = `notes/it:${position}`;
      writeFileSync(content, `notes ${position}`);
      await runs("artifact", "add", `${lab.registry.host}/${name}`, content);
      await runs("artifact", "push", "-q", ...flags, `${lab.registry.host}/${name}`);
      const said = await judged(policy, name);
      if (flags.length === 0) expect(said).toContain("A signature was required");
      else expect(said).toBe("accepted");
    }
  });
});
