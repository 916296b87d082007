/** Flags by which push, sync and copy sign and ask for signatures; what comes of them is judged by policies, Galley's way and skopeo's. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { file } from "../harness/tar.ts";
import { signedBy, smallImage, TrustLab, trustNeeds } from "./trust-lab.ts";

let lab: TrustLab;
let sigstore: Awaited<ReturnType<TrustLab["sigstoreKey"]>>;
beforeAll(async () => {
  if (missing(trustNeeds) !== undefined) return;
  lab = await TrustLab.start();
  sigstore = await lab.sigstoreKey();
});
afterAll(() => lab?.stop());

const cosigned = (more: object = {}) => lab.policy([{ type: "sigstoreSigned", keyPath: sigstore.publicKey, ...more }]);
const signed = (more: object = {}) => lab.policy(signedBy(lab.key, more));
const runs = (...args: readonly string[]) => lab.store.ok(args, { env: lab.key.env });
const exactly = (name: string) => ({ signedIdentity: { type: "exactReference", dockerReference: name } });

describe("push signs", () => {
  const needs = { ...trustNeeds, root: true };
  const pushed = async (name: string, ...flags: readonly string[]) => {
    const own = `${lab.registry.host}/${name}`;
    await runs("pull", "-q", `${lab.registry.host}/team/app:1`);
    await runs("tag", `${lab.registry.host}/team/app:1`, own);
    await runs("push", "-q", ...lab.places(), ...flags, own);
    return lab.at(name);
  };

  testWith(needs, "with a GPG key, as the destination or under another name", async () => {
    expect(await lab.bothSay(signed(), await pushed("push/gpg:1", "--sign-by", lab.key.fingerprint))).toBe("accepted");
    const named = ["--sign-by", lab.key.fingerprint, "--sign-identity", "example.com/else:1"];
    const place = await pushed("push/named:1", ...named);
    expect(await lab.bothSay(signed(), place)).not.toBe("accepted");
    expect(await lab.bothSay(signed(exactly("example.com/else:1")), place)).toBe("accepted");
  });

  testWith(needs, "with a sigstore key, given by itself or in a file of parameters", async () => {
    const key = ["--sign-by-sigstore-private-key", sigstore.secret, "--sign-passphrase-file", sigstore.passphrase];
    expect(await lab.bothSay(cosigned(), await pushed("push/key:1", ...key))).toBe("accepted");
    const parameters = lab.fresh("parameters.yaml");
    writeFileSync(parameters, `privateKeyFile: ${sigstore.secret}\nprivateKeyPassphraseFile: ${sigstore.passphrase}\n`);
    expect(await lab.bothSay(cosigned(), await pushed("push/file:1", "--sign-by-sigstore", parameters))).toBe(
      "accepted",
    );
    expect(await lab.bothSay(cosigned(), await pushed("push/none:1"))).not.toBe("accepted");
  });

  testWith(needs, "nothing where the parameters are not understood", async () => {
    const parameters = lab.fresh("parameters.yaml");
    const refused = async (text: string) => {
      writeFileSync(parameters, text);
      const words = ["copy", "-q", ...lab.places(), "--sign-by-sigstore", parameters, lab.at("team/app:1")];
      const { status, stderr } = await lab.store.galley([...words, lab.at("push/refused:1")]);
      expect(status).toBe(1);
      return stderr;
    };
    expect(await refused("fulcio: {}\n")).toContain("--sign-by-sigstore (fulcio) is not supported");
    expect(await refused("privateKeyPassphraseFile: x\n")).toContain("privateKeyFile is missing");
    expect(await refused("a: [\n")).toContain(parameters);
    expect((await lab.store.galley(["inspect", "-n", lab.at("push/refused:1")])).status).not.toBe(0);
  });

  testWith(needs, "and leaves those behind that an image came with, where that is asked for", async () => {
    await lab.signs(["--sign-by", lab.key.fingerprint, lab.at("team/app:1"), lab.at("came/app:1")]);
    await runs("copy", "-q", ...lab.places(), lab.at("came/app:1"), "containers-storage:came:1");
    const there = exactly(`${lab.registry.host}/came/app:1`);
    await runs("push", "-q", ...lab.places(), "came:1", `${lab.registry.host}/went/with:1`);
    expect(await lab.bothSay(signed(there), lab.at("went/with:1"))).toBe("accepted");
    await runs("push", "-q", ...lab.places(), "--remove-signatures", "came:1", `${lab.registry.host}/went/without:1`);
    expect(await lab.bothSay(signed(there), lab.at("went/without:1"))).toStartWith("A signature was requir");
    // A list has no flag that names the directory: the user's own is used.
    const own = join(lab.store.home, ".config/containers");
    mkdirSync(own, { recursive: true });
    symlinkSync(join(lab.directory, "registries.d"), join(own, "registries.d"));
    const apart = `dir:${lab.fresh("apart")}`;
    await runs("copy", "-q", "containers-storage:came:1", apart);
    await runs("manifest", "create", "listed:2", apart);
    await runs("manifest", "push", "-q", "listed:2", lab.at("listed/apart:1"));
    expect(await lab.bothSay(signed(there), lab.at("listed/apart:1"))).toBe("accepted");
    await runs("manifest", "create", "listed:1", "came:1");
    await runs("manifest", "push", "-q", "listed:1", lab.at("listed/with:1"));
    await runs("manifest", "push", "-q", "--remove-signatures", "listed:1", lab.at("listed/without:1"));
    expect(await lab.bothSay(signed(there), lab.at("listed/with:1"))).toBe("accepted");
    expect(await lab.bothSay(signed(there), lab.at("listed/without:1"))).toStartWith("A signature was requir");
    rmSync(join(own, "registries.d"));
  });
});

describe("sync signs what it copies", () => {
  const synced = async (to: string, ...flags: readonly string[]) => {
    const words = ["sync", "--src", "docker", "--dest", "docker", ...lab.places(), ...flags];
    await runs(...words, `${lab.registry.host}/many/app`, `${lab.registry.host}/${to}`);
    return (tag: string) => lab.at(`${to}/app:${tag}`);
  };
  beforeAll(async () => {
    if (missing(trustNeeds) !== undefined) return;
    // Of another content than those of the list: signatures are kept by digest, and the last one signed is the one that stays.
    await lab.registry.push("many/app", "1", buildImage({ layers: [{ entries: [file("alone", "1")] }] }));
    await lab.registry.push("many/app", "2", buildIndex([smallImage("amd64"), smallImage("arm64")]));
  });

  testWith(trustNeeds, "each image, and each of a list", async () => {
    const at = await synced("synced/gpg", "--all", "--sign-by", lab.key.fingerprint);
    for (const tag of ["1", "2"]) expect(await lab.bothSay(signed(), at(tag))).toBe("accepted");
    const key = ["--sign-by-sigstore-private-key", sigstore.secret, "--sign-passphrase-file", sigstore.passphrase];
    const also = await synced("synced/key", ...key);
    for (const tag of ["1", "2"]) expect(await lab.bothSay(cosigned(), also(tag))).toBe("accepted");
    const parameters = lab.fresh("parameters.yaml");
    const lines = [`privateKeyFile: ${sigstore.secret}`, `privateKeyPassphraseFile: ${sigstore.passphrase}`];
    writeFileSync(parameters, lines.join("\n"));
    const third = await synced("synced/file", "--sign-by-sigstore", parameters);
    expect(await lab.bothSay(cosigned(), third("1"))).toBe("accepted");
  });

  testWith(trustNeeds, "under a name that is given, and not what is to be left", async () => {
    const named = ["--sign-by", lab.key.fingerprint, "--sign-identity", "example.com/else:1"];
    const at = await synced("synced/named", ...named);
    expect(await lab.bothSay(signed(exactly("example.com/else:1")), at("1"))).toBe("accepted");
    const words = ["sync", "--src", "docker", "--dest", "docker", ...lab.places(), "--remove-signatures"];
    await runs(...words, `${lab.registry.host}/synced/named/app:1`, `${lab.registry.host}/synced/bare`);
    expect(await lab.bothSay(signed(), lab.at("synced/bare/app:1"))).toStartWith("A signature was requir");
  });

  testWith(trustNeeds, "what the policy accepts alone", async () => {
    const source = `${lab.registry.host}/many/app:1`;
    const words = ["sync", "--src", "docker", "--dest", "docker", ...lab.places()];
    const outcome = async (...flags: readonly string[]) => {
      const { status, stderr } = await lab.store.galley([...words, ...flags, source, `${lab.registry.host}/judged`]);
      return status === 0 ? "copied" : stderr;
    };
    expect(await outcome("--policy", signed())).toContain("A signature was required");
    expect(await outcome("--policy", lab.policy([{ type: "reject" }]))).toContain("rejected by policy");
    const open = lab.policy([{ type: "insecureAcceptAnything" }]);
    expect(await outcome("--require-signed", "--policy", open)).toContain("No signature verification policy found");
    const home = join(lab.store.home, ".config/containers");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    expect(await outcome()).toContain("rejected by policy");
    expect(await outcome("--insecure-policy")).toBe("copied");
    expect(await outcome("--policy", open)).toBe("copied");
    writeFileSync(join(home, "policy.json"), JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  });
});
