/** Commands about signatures, and what inspect tells of them. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeGpgHome } from "../harness/gpg.ts";
import { testWith } from "../harness/requirements.ts";
import { signedBy, smallImage, TrustLab, trustNeeds } from "./trust-lab.ts";

let lab: TrustLab;
beforeAll(async () => {
  lab = await TrustLab.start();
});
afterAll(() => lab?.stop());

const needs = trustNeeds;

describe("files of signatures", () => {
  testWith(needs, "are made and verified as by skopeo", async () => {
    const [manifest, own, theirs] = [lab.fresh("manifest"), lab.fresh("own.sig"), lab.fresh("theirs.sig")];
    writeFileSync(manifest, smallImage("amd64").bytes);
    const env = { env: lab.key.env };
    const name = "example.com/a:1";
    await lab.store.ok(["standalone-sign", manifest, name, lab.key.fingerprint, "-o", own], env);
    const real = (...words: readonly string[]) =>
      Bun.spawnSync(["skopeo", ...words], { env: { ...process.env, ...lab.key.env } }).stdout.toString();
    real("standalone-sign", manifest, name, lab.key.fingerprint, "-o", theirs);
    for (const signature of [own, theirs]) {
      const words = ["standalone-verify", manifest, name, lab.key.fingerprint, signature];
      const said = await lab.store.ok(words, env);
      expect(said).toStartWith(`Signature verified using fingerprint ${lab.key.fingerprint}, digest sha256:`);
      expect(real(...words)).toContain("Signature verified");
      await lab.store.ok([
        "standalone-verify",
        "--public-key-file",
        lab.key.publicKey,
        manifest,
        name,
        "any",
        signature,
      ]);
    }
    for (const [words, message] of [
      [[manifest, "example.com/b:1", lab.key.fingerprint, own], "does not match"],
      [[own, name, lab.key.fingerprint, own], "does not match"],
      [[manifest, name, lab.other.fingerprint, own], "is not accepted"],
      [[manifest, name, "any", own], "Cannot use any fingerprint without a public key file"],
    ] as const) {
      const { status, stderr } = await lab.store.galley(["standalone-verify", ...words], env);
      expect({ status, told: stderr.includes(message) ? message : stderr }).toEqual({ status: 1, told: message });
    }
    const locked = makeGpgHome(lab.directory, "standalone", "sesame");
    const secret = lab.fresh("passphrase");
    writeFileSync(secret, "sesame");
    await lab.store.ok(
      ["standalone-sign", "--passphrase-file", secret, manifest, name, locked.fingerprint, "--output", own],
      { env: locked.env },
    );
    locked.stop();
  });
});

describe("podman's commands", () => {
  testWith(needs, "image sign adds a signature where the image is", async () => {
    await lab.signs([lab.at("team/app:1"), lab.at("place/app:1")]);
    const name = `${lab.registry.host}/place/app:1`;
    await lab.store.ok(["image", "sign", "--sign-by", lab.key.fingerprint, ...lab.places(), name], {
      env: lab.key.env,
    });
    await lab.store.ok(["image", "sign", "--sign-by", lab.other.fingerprint, ...lab.places(), lab.at("place/app:1")], {
      env: lab.other.env,
    });
    for (const one of [lab.key, lab.other])
      expect(await lab.bothSay(lab.policy(signedBy(one)), lab.at("place/app:1"))).toBe("accepted");
    const elsewhere = lab.fresh("signatures");
    await lab.store.ok(
      ["image", "sign", "-a", "-d", elsewhere, "--sign-by", lab.key.fingerprint, `${lab.registry.host}/team/app:list`],
      { env: lab.key.env },
    );
    expect(readdirSync(join(elsewhere, "team"))).toHaveLength(3);
  });

  testWith(needs, "image trust shows and changes the policy", async () => {
    const path = lab.fresh("policy.json");
    const trust = (...words: readonly string[]) => lab.store.ok(["image", "trust", ...words, "--policypath", path]);
    await trust("set", "-t", "reject", "default");
    await trust("set", "-t", "accept", lab.registry.host);
    await trust("set", "-f", lab.key.publicKey, `${lab.registry.host}/place`);
    expect(await lab.bothSay(path, lab.at("place/app:1"))).toBe("accepted");
    expect(await lab.bothSay(path, lab.at("team/app:1"))).toBe("accepted");
    const rows = (await trust("show", "-n")).split("\n").map((line) => line.trim().split(/ {2,}/).slice(0, 4));
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ["all", "default", "reject"],
      ["repository", lab.registry.host, "accept"],
      ["repository", `${lab.registry.host}/place`, "signed"],
    ]);
    expect(rows[2]?.[3]).toBe("signer@example.com");
    expect(JSON.parse(await trust("show", "-j", lab.registry.host))).toEqual([
      { transport: "repository", name: lab.registry.host, repo_name: lab.registry.host, type: "accept" },
    ]);
    const at = (...flags: readonly string[]) => trust("show", "-j", ...flags, `${lab.registry.host}/place`);
    const registries = join(lab.directory, "registries.d");
    expect(JSON.parse(await at("--registrypath", registries))).toMatchObject([
      { type: "signed", sigstore: `file://${lab.directory}/lookaside` },
    ]);
    expect(await at("--registrypath", lab.fresh("nothing"))).not.toContain(lab.directory);
    expect(JSON.parse(await trust("show", "--raw"))).toMatchObject({ default: [{ type: "reject" }] });
    expect((await lab.store.galley(["image", "trust", "set", "--policypath", path, "x.io"])).stderr).toContain(
      "at least one public key",
    );
  });
});

testWith(needs, "inspect tells of signatures and of what refers to an image, without believing it", async () => {
  await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("told/app:1")]);
  const raw = await lab.store.ok(["inspect", "--raw", lab.at("told/app:1")]);
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(raw).digest("hex")}`;
  const artifact = lab.fresh("artifact");
  mkdirSync(artifact);
  const empty = {
    mediaType: "application/vnd.oci.empty.v1+json",
    size: 2,
    digest: `sha256:${new Bun.CryptoHasher("sha256").update("{}").digest("hex")}`,
  };
  const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: raw.length };
  const sbom = {
    ...{
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/spdx+json",
    },
    ...{ config: empty, layers: [empty], subject },
  };
  writeFileSync(join(artifact, "manifest.json"), JSON.stringify(sbom));
  writeFileSync(join(artifact, empty.digest.slice(7)), "{}");
  await lab.signs([`dir:${artifact}`, lab.at("told/app:sbom")]);
  const said = JSON.parse(await lab.store.ok(["inspect", ...lab.places(), lab.at("told/app:1")])) as Record<
    string,
    unknown
  >;
  expect(said.Referrers).toMatchObject([{ ArtifactType: "application/spdx+json" }]);
  expect(said.Signatures).toEqual([{ Format: "simple-signing" }]);
});
