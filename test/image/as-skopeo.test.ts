/** Galley under the name skopeo, as scripts and skopeo's own tests know it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asSkopeo } from "../harness/as-skopeo.ts";
import { createStore, type Store } from "../harness/galley.ts";
import { buildImage, buildIndex } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { file } from "../harness/tar.ts";

const auth = { user: "someone", password: "pass:word" };
const creds = `${auth.user}:${auth.password}`;
const image = buildImage({ layers: [{ entries: [file("a", "x".repeat(5000))] }] });

let plain: Registry;
let locked: Registry;
let store: Store;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "galley-as-skopeo-"));
  [plain, locked] = await Promise.all([startRegistry(), startRegistry({ auth })]);
  await plain.push("team/app", "list", buildIndex([image]));
  await plain.push("team/app", "1", image);
  await locked.push("team/app", "1", image);
  store = createStore();
});
afterAll(async () => {
  await Promise.all([plain?.stop(), locked?.stop(), store?.cleanup()]);
  rmSync(directory, { recursive: true, force: true });
});

const at = (registry: Registry, name = "team/app:1") => `docker://${registry.host}/${name}`;

describe("called as skopeo", () => {
  const skopeo = (...args: readonly string[]) => asSkopeo(store, args);

  test("a mistake on the command line ends with 1, an image that is not there with 2, in the words of its logger", async () => {
    expect(await skopeo("copy", "--nothing")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^time="\S+Z" level=fatal msg="unknown flag: --nothing"\n$/),
    });
    const { status, stderr } = await skopeo("inspect", "--tls-verify=false", at(plain, "team/app:none"));
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("reading manifest none in"),
    });
    expect(stderr).toContain("manifest unknown");
  });

  test("a name that a layout has not ends with 2, and a file or directory that is not there with 1", async () => {
    const [layout, archive] = [join(directory, "named"), join(directory, "named.tar")];
    for (const place of [`oci:${layout}:one`, `oci-archive:${archive}:one`, `docker-archive:${archive}.docker:one:1`])
      await store.ok(["copy", "-q", "--src-tls-verify=false", at(plain, "team/app:1"), place]);
    const status = async (place: string) => (await skopeo("inspect", place)).status;
    for (const place of [`oci:${layout}:two`, `oci-archive:${archive}:two`, "containers-storage:nobody/has:it"])
      expect([place, await status(place)]).toEqual([place, 2]);
    const missing = ["oci", "dir", "oci-archive", "docker-archive", "sif"].map(
      (name) => `${name}:${directory}/nothing`,
    );
    for (const place of [...missing, `docker-archive:${archive}.docker:two:1`])
      expect([place, await status(place)]).toEqual([place, 1]);
  });

  test("help is of skopeo's commands, by its name", async () => {
    for (const args of [[], ["--help"]]) {
      const { status, stdout } = await skopeo(...args);
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: {2}skopeo /) });
      expect(stdout).toMatch(/\n {2}standalone-verify +\S/);
      expect(stdout).not.toContain("galley");
    }
    const copy = await skopeo("copy", "--help");
    expect(copy.stdout).toStartWith("Usage:  skopeo copy [OPTIONS] SOURCE-IMAGE DESTINATION-IMAGE\n");
    expect((await skopeo("copy")).stderr).toContain("'skopeo copy' requires 2 arguments");
  });

  test("a list that has nothing for the machine is there: the status is 1", async () => {
    const { status, stderr } = await skopeo(
      ...["inspect", "--override-os", "plan9", "--tls-verify=false", at(plain, "team/app:list")],
    );
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no image found in manifest list"),
    });
  });

  test("a login that is missing is told as one, and short names of the flags are known", async () => {
    const { status, stderr } = await skopeo("inspect", "--tls-verify=false", at(locked));
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("authentication required") });
    const logins = ["--screds", creds, "--dcreds", creds];
    const tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    expect(await skopeo("copy", "-q", ...tls, ...logins, at(locked), at(locked, "short/names:1"))).toMatchObject({
      status: 0,
    });
  });

  test("what is signed need not have a tag", async () => {
    const { status, stderr } = await skopeo(
      "standalone-sign",
      "/dev/null",
      "busybox",
      "nobody@nowhere",
      "-o",
      "/dev/null",
    );
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.not.stringContaining("neither a tag") });
  });

  test("a name that is to be signed is a whole one", async () => {
    const { status, stderr } = await skopeo(
      ...["copy", "--sign-by", "x", "--sign-identity=not-whole:1", at(plain), `dir:${join(directory, "identity")}`],
    );
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("repository name must be canonical"),
    });
  });
});
