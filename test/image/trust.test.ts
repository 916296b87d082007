/** Policies and signatures: what Galley signs the real skopeo verifies, and the other way round. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeGpgHome } from "../harness/gpg.ts";
import { testWith } from "../harness/requirements.ts";
import { signedBy, TrustLab, trustNeeds } from "./trust-lab.ts";

let lab: TrustLab;
beforeAll(async () => {
  lab = await TrustLab.start();
});
afterAll(() => lab?.stop());

const needs = trustNeeds;

describe("policies are enforced as skopeo enforces them", () => {
  testWith(needs, "accepting, rejecting, scopes", async () => {
    const [accept, reject] = [[{ type: "insecureAcceptAnything" }], [{ type: "reject" }]];
    const { host } = lab.registry;
    expect(await lab.bothSay(lab.policy(accept), lab.at("team/app:1"))).toBe("accepted");
    expect(await lab.bothSay(lab.policy(reject), lab.at("team/app:1"))).toStartWith("Running image docker");
    expect(await lab.bothSay(lab.policy(reject, { docker: { [host]: accept } }), lab.at("team/app:1"))).toBe(
      "accepted",
    );
    const narrow = { docker: { [host]: accept, [`${host}/team`]: reject } };
    expect(await lab.bothSay(lab.policy(accept, narrow), lab.at("team/app:1"))).toStartWith("Running image docker");
    expect(
      await lab.bothSay(lab.policy(reject, { docker: { [`${host}/team/app:1`]: accept } }), lab.at("team/app:1")),
    ).toBe("accepted");
    const copied = lab.fresh("dir");
    await lab.signs([lab.at("team/app:1"), `dir:${copied}`]);
    expect(await lab.bothSay(lab.policy(accept, { dir: { [lab.directory]: reject } }), `dir:${copied}`)).toStartWith(
      "Running image dir",
    );
    const local = { "docker-archive": { "": reject } };
    const archive = lab.fresh("archive.tar");
    await lab.signs([lab.at("team/app:1"), `docker-archive:${archive}:a:1`]);
    expect(await lab.bothSay(lab.policy(accept, local), `docker-archive:${archive}`)).toStartWith(
      "Running image docker-a",
    );
  });

  testWith(needs, "each image of a list is judged", async () => {
    const path = lab.policy(signedBy(lab.key));
    expect(await lab.bothSay(path, lab.at("team/app:list"))).toStartWith("A signature was requir");
    await lab.signs(["--all", "--sign-by", lab.key.fingerprint, lab.at("team/app:list"), lab.at("signed/list:1")]);
    expect(await lab.bothSay(path, lab.at("signed/list:1"))).toBe("accepted");
    expect(
      (await lab.galley(["--all", "--policy", path, lab.at("signed/list:1"), `dir:${lab.fresh("all")}`])).status,
    ).toBe(0);
  });
});

describe("simple signing", () => {
  testWith(needs, "by Galley, verified by skopeo and podman", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("signed/own:1")]);
    expect(await lab.bothSay(lab.policy(signedBy(lab.key)), lab.at("signed/own:1"))).toBe("accepted");
    expect(await lab.bothSay(lab.policy(signedBy(lab.other)), lab.at("signed/own:1"))).not.toBe("accepted");
    expect(await lab.bothSay(lab.policy(signedBy(lab.key)), lab.at("team/app:1"))).toStartWith(
      "A signature was requir",
    );
    const data = readFileSync(lab.key.publicKey).toString("base64");
    expect(
      await lab.bothSay(lab.policy([{ type: "signedBy", keyType: "GPGKeys", keyData: data }]), lab.at("signed/own:1")),
    ).toBe("accepted");
  });

  testWith(needs, "by skopeo, verified by Galley", async () => {
    const { status } = lab.skopeo(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("signed/theirs:1")]);
    expect(status).toBe(0);
    expect(await lab.bothSay(lab.policy(signedBy(lab.key)), lab.at("signed/theirs:1"))).toBe("accepted");
    expect(await lab.bothSay(lab.policy(signedBy(lab.other)), lab.at("signed/theirs:1"))).not.toBe("accepted");
  });

  testWith(
    { commands: [...needs.commands, "podman"], root: true },
    "by Galley, judged by podman's pull, and by podman's push, judged by Galley",
    async () => {
      const home = lab.fresh("podman");
      mkdirSync(join(home, ".config/containers"), { recursive: true });
      symlinkSync(join(lab.directory, "registries.d"), join(home, ".config/containers/registries.d"));
      const podman = (...words: readonly string[]) => {
        const stores = ["--root", join(home, "root"), "--runroot", join(home, "run"), "--storage-driver", "vfs"];
        const env = { ...process.env, HOME: home, ...lab.key.env };
        const { exitCode, stdout, stderr } = Bun.spawnSync(["podman", ...stores, ...words], { env });
        return { status: exitCode, told: `${stdout}${stderr}` };
      };
      const pull = (name: string, by: typeof lab.key) =>
        podman("pull", "-q", "--tls-verify=false", "--signature-policy", lab.policy(signedBy(by)), lab.at(name));
      try {
        await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("signed/pulled:1")]);
        expect(pull("signed/pulled:1", lab.key)).toMatchObject({ status: 0 });
        const foreign = pull("signed/pulled:1", lab.other);
        expect(foreign.status).toBe(125);
        expect(foreign.told).toContain("Source image rejected");
        expect(pull("team/app:1", lab.key).told).toContain("A signature was required, but no signature exists");
        const [from, to] = [lab.at("signed/pulled:1").slice("docker://".length), lab.at("signed/pushed:1")];
        const flags = ["--tls-verify=false", "--remove-signatures", "--sign-by", lab.key.fingerprint];
        expect(podman("push", "-q", ...flags, from, to)).toMatchObject({ status: 0 });
        expect(await lab.bothSay(lab.policy(signedBy(lab.key)), to)).toBe("accepted");
        expect(await lab.bothSay(lab.policy(signedBy(lab.other)), to)).not.toBe("accepted");
      } finally {
        podman("rmi", "-a", "-f");
      }
    },
    120_000,
  );

  testWith(needs, "the name that was signed counts", async () => {
    await lab.signs([
      "--sign-by",
      lab.key.fingerprint,
      "--sign-identity",
      "vendor.example/x:1",
      lab.at("team/app:1"),
      lab.at("signed/named:1"),
    ]);
    const by = (signedIdentity: object) => lab.policy(signedBy(lab.key, { signedIdentity }));
    expect(await lab.bothSay(by({ type: "matchExact" }), lab.at("signed/named:1"))).toStartWith(
      "Signature for identity",
    );
    const exact = { type: "exactReference", dockerReference: "vendor.example/x:1" };
    expect(await lab.bothSay(by(exact), lab.at("signed/named:1"))).toBe("accepted");
    const repository = { type: "exactRepository", dockerRepository: "vendor.example/y" };
    expect(await lab.bothSay(by(repository), lab.at("signed/named:1"))).toStartWith("Signature for identity");
    const remap = {
      type: "remapIdentity",
      prefix: `${lab.registry.host}/signed/named`,
      signedPrefix: "vendor.example/x",
    };
    expect(await lab.bothSay(by(remap), lab.at("signed/named:1"))).toBe("accepted");
  });

  testWith(needs, "a signature of another image is none", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("signed/moved:1")]);
    await lab.signs(["--override-arch", "arm64", lab.at("team/app:list"), lab.at("signed/moved:2")]);
    const lookaside = join(lab.directory, "lookaside/signed");
    const [signed = ""] = readdirSync(lookaside).filter((name) => name.startsWith("moved@"));
    const digest = (await lab.store.ok(["inspect", "-n", "-f", "{{.Digest}}", lab.at("signed/moved:2")])).replace(
      ":",
      "=",
    );
    mkdirSync(join(lookaside, `moved@${digest}`));
    const stolen = readFileSync(join(lookaside, signed, "signature-1"));
    writeFileSync(join(lookaside, `moved@${digest}`, "signature-1"), stolen);
    expect(await lab.bothSay(lab.policy(signedBy(lab.key)), lab.at("signed/moved:2"))).toStartWith(
      "Signature for digest",
    );
    // Nor is one that was changed.
    const spoiled = Uint8Array.from(stolen, (byte, index) => (index === stolen.length - 20 ? byte ^ 1 : byte));
    writeFileSync(join(lookaside, signed, "signature-1"), spoiled);
    const { status, stderr } = await lab.galley([
      "--policy",
      lab.policy(signedBy(lab.key)),
      lab.at("signed/moved:1"),
      `dir:${lab.fresh("no")}`,
    ]);
    expect({ status, told: stderr.includes("Source image rejected: ") }).toEqual({ status: 1, told: true });
  });

  testWith(needs, "with a key that has a passphrase", async () => {
    const locked = makeGpgHome(lab.directory, "locked", "open sesame");
    try {
      const path = lab.fresh("passphrase");
      writeFileSync(path, "open sesame\nnot this\n");
      const args = ["--sign-by", locked.fingerprint, lab.at("team/app:1"), lab.at("signed/locked:1")];
      const { status, stderr } = await lab.galley(["--sign-passphrase-file", path, ...args], locked);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(await lab.bothSay(lab.policy(signedBy(locked)), lab.at("signed/locked:1"))).toBe("accepted");
      writeFileSync(path, "wrong\n");
      locked.stop();
      expect((await lab.galley(["--sign-passphrase-file", path, ...args], locked)).stderr).toContain(
        "gpg does not sign",
      );
    } finally {
      locked.stop();
    }
  });

  testWith(needs, "with a key that is not there", async () => {
    const { status, stderr } = await lab.galley([
      "--sign-by",
      "0123456789ABCDEF",
      lab.at("team/app:1"),
      lab.at("signed/none:1"),
    ]);
    expect({ status, told: stderr.includes("gpg does not sign") }).toEqual({ status: 1, told: true });
    expect((await lab.store.galley(["inspect", lab.at("signed/none:1")])).status).toBe(2);
  });
});

describe("signatures go with images", () => {
  testWith(needs, "into directories and out of them, and are left behind where that is asked for", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("moving/app:1")]);
    const [own, theirs] = [lab.fresh("own"), lab.fresh("theirs")];
    await lab.signs([lab.at("moving/app:1"), `dir:${own}`]);
    expect(lab.skopeo([lab.at("moving/app:1"), `dir:${theirs}`]).status).toBe(0);
    expect(readdirSync(own).sort()).toEqual(readdirSync(theirs).sort());
    expect(readFileSync(join(own, "signature-1")).equals(readFileSync(join(theirs, "signature-1")))).toBeTrue();
    await lab.signs([`dir:${theirs}`, lab.at("moving/back:1")]);
    const remap = { type: "exactReference", dockerReference: `${lab.registry.host}/moving/app:1` };
    expect(await lab.bothSay(lab.policy(signedBy(lab.key, { signedIdentity: remap })), lab.at("moving/back:1"))).toBe(
      "accepted",
    );
    await lab.signs(["--remove-signatures", `dir:${theirs}`, lab.at("moving/bare:1")]);
    expect(await lab.bothSay(lab.policy(signedBy(lab.key)), lab.at("moving/bare:1"))).toStartWith(
      "A signature was requir",
    );
  });

  testWith(needs, "and nowhere that keeps none, and no signed image is changed", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("kept/app:1")]);
    const refused = await lab.galley([lab.at("kept/app:1"), `oci:${lab.fresh("layout")}`]);
    expect({ status: refused.status, told: refused.stderr.includes("Can not copy signatures to oci:") }).toEqual({
      status: 1,
      told: true,
    });
    await lab.signs(["--remove-signatures", lab.at("kept/app:1"), `oci:${lab.fresh("layout")}`]);
    const converted = await lab.galley(["-f", "v2s2", lab.at("kept/app:1"), `dir:${lab.fresh("converted")}`]);
    const other = await lab.galley(["-f", "oci", lab.at("kept/app:1"), `dir:${lab.fresh("converted")}`]);
    expect([converted, other].some(({ stderr }) => stderr.includes("signatures would be invalidated"))).toBeTrue();
  });
});

describe("sigstore", () => {
  const pair = async (passphrase: string) => {
    const [prefix, secret] = [lab.fresh("key"), lab.fresh("passphrase")];
    writeFileSync(secret, `${passphrase}\n`);
    await lab.store.ok(["generate-sigstore-key", "--output-prefix", prefix, "--passphrase-file", secret]);
    return { secret: `${prefix}.private`, passphrase: secret, publicKey: `${prefix}.pub` };
  };
  const requirement = (keyPath: string, more: object = {}) => [{ type: "sigstoreSigned", keyPath, ...more }];

  testWith(needs, "by Galley, verified by skopeo; and the other way round with the same key", async () => {
    const keys = await pair("secret");
    const signing = ["--sign-by-sigstore-private-key", keys.secret, "--sign-passphrase-file", keys.passphrase];
    await lab.signs([...signing, lab.at("team/app:1"), lab.at("cosigned/own:1")]);
    expect(await lab.bothSay(lab.policy(requirement(keys.publicKey)), lab.at("cosigned/own:1"))).toBe("accepted");
    const theirs = lab.skopeo([...signing, lab.at("team/app:1"), lab.at("cosigned/theirs:1")]);
    if (!theirs.stderr.includes("sigstore disabled")) {
      expect(await lab.bothSay(lab.policy(requirement(keys.publicKey)), lab.at("cosigned/theirs:1"))).toBe("accepted");
    }
    const stranger = await pair("");
    expect(await lab.bothSay(lab.policy(requirement(stranger.publicKey)), lab.at("cosigned/own:1"))).toStartWith(
      "cryptographic signatur",
    );
    expect(await lab.bothSay(lab.policy(requirement(keys.publicKey)), lab.at("team/app:1"))).toStartWith(
      "A signature was requir",
    );
  });

  testWith(needs, "a second signature is added to the first, and both are copied", async () => {
    const [first, second] = [await pair("one"), await pair("two")];
    for (const { secret, passphrase } of [first, second]) {
      await lab.signs([
        "--sign-by-sigstore-private-key",
        secret,
        "--sign-passphrase-file",
        passphrase,
        lab.at("team/app:1"),
        lab.at("twice/app:1"),
      ]);
    }
    await lab.signs([lab.at("twice/app:1"), lab.at("twice/copy:1")]);
    const identity = {
      signedIdentity: { type: "exactReference", dockerReference: `${lab.registry.host}/twice/app:1` },
    };
    for (const { publicKey } of [first, second]) {
      expect(await lab.bothSay(lab.policy(requirement(publicKey, identity)), lab.at("twice/copy:1"))).toBe("accepted");
    }
    const digest = await lab.store.ok(["inspect", "-n", "-f", "{{.Digest}}", lab.at("twice/app:1")]);
    const attached = await lab.store.ok(["inspect", "--raw", lab.at(`twice/app:${digest.replace(":", "-")}.sig`)]);
    expect((JSON.parse(attached) as { layers: unknown[] }).layers).toHaveLength(2);
  });

  testWith(needs, "is written to a registry only where the settings allow it", async () => {
    const keys = await pair("");
    const args = ["--sign-by-sigstore-private-key", keys.secret, "--sign-passphrase-file", keys.passphrase];
    const { status, stderr } = await lab.store.galley([
      "copy",
      "-q",
      "--registries.d",
      lab.fresh("none"),
      ...args,
      lab.at("team/app:1"),
      lab.at("forbidden/app:1"),
    ]);
    expect({ status, told: stderr.includes("writing sigstore attachments is disabled") }).toEqual({
      status: 1,
      told: true,
    });
    expect((await lab.store.galley(["inspect", lab.at("forbidden/app:1")])).status).toBe(2);
  });
});

test("--require-signed wants a policy that checks signatures", async () => {
  const accept = lab.policy([{ type: "insecureAcceptAnything" }]);
  const { status, stderr } = await lab.galley([
    "--require-signed",
    "--policy",
    accept,
    lab.at("team/app:1"),
    `dir:${lab.fresh("x")}`,
  ]);
  expect({ status, told: stderr.includes("No signature verification policy found") }).toEqual({
    status: 1,
    told: true,
  });
  const both = await lab.galley([
    "--require-signed",
    "--insecure-policy",
    lab.at("team/app:1"),
    `dir:${lab.fresh("x")}`,
  ]);
  expect(both.stderr).toContain("mutually exclusive");
});

describe("the store", () => {
  /** A home with this policy and the test's places of signatures. */
  function home(requirements: unknown): { readonly HOME: string } {
    const path = lab.fresh("home");
    mkdirSync(join(path, ".config/containers/registries.d"), { recursive: true });
    writeFileSync(join(path, ".config/containers/policy.json"), readFileSync(lab.policy(requirements)));
    writeFileSync(
      join(path, ".config/containers/registries.d/a.yaml"),
      readFileSync(join(lab.directory, "registries.d/test.yaml")),
    );
    return { HOME: path };
  }

  testWith({ ...needs, root: true }, "pull, run and load ask the policy that is in force", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("stored/app:1")]);
    const reference = `${lab.registry.host}/stored/app:1`;
    const rejecting = await lab.store.galley(["pull", reference], { env: home([{ type: "reject" }]) });
    expect({ status: rejecting.status, said: rejecting.stderr }).toMatchObject({ status: 1 });
    expect(rejecting.stderr).toContain(
      `Source image rejected: Running image docker://${reference} is rejected by policy.`,
    );
    expect(readdirSync(join(lab.store.root, "content/blobs/sha256"))).toEqual([]);
    const running = await lab.store.galley(["run", "--rm", reference, "true"], { env: home(signedBy(lab.other)) });
    expect({ status: running.status, said: running.stderr }).toMatchObject({ status: 125 });
    expect(running.stderr).toContain("Source image rejected");
    await lab.store.ok(["pull", "-q", reference], { env: home(signedBy(lab.key)) });
    await lab.store.ok(["push", "-q", reference, lab.at("stored/pushed:1")], { env: home([{ type: "reject" }]) });
    const identity = { signedIdentity: { type: "exactReference", dockerReference: reference } };
    expect(await lab.bothSay(lab.policy(signedBy(lab.key, identity)), lab.at("stored/pushed:1"))).toBe("accepted");
    const archive = lab.fresh("archive.tar");
    await lab.store.ok(["save", "-o", archive, reference]);
    await lab.store.ok(["rmi", "-f", reference]);
    const loading = await lab.store.galley(["load", "-i", archive], { env: home([{ type: "reject" }]) });
    expect(loading.stderr).toContain("is rejected by policy");
    expect((await lab.store.galley(["image", "inspect", reference])).status).toBe(1);
  });
});

test("a policy that cannot be read stops everything", async () => {
  const path = lab.fresh("policy.json");
  writeFileSync(path, '{"default":[{"type":"insecureAcceptAnything"}],"transprots":{}}');
  const target = lab.fresh("x");
  const { status, stderr } = await lab.galley(["--policy", path, lab.at("team/app:1"), `dir:${target}`]);
  expect({ status, told: stderr.includes('Unknown key "transprots"') }).toEqual({ status: 1, told: true });
  expect(existsSync(target)).toBeFalse();
});
