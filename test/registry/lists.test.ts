/** What the registry server lists, and what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/spec/image.ts";
import { type Extra, errorOf, type Given, Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = new Lab();
  await lab.restart();
});
afterAll(() => lab.end());

const ask = (method: string, path: string, given?: Given) => lab.ask(method, path, given);
const pushBlob = (name: string, content: string | Uint8Array) => lab.pushBlob(name, content);
const manifestFor = (name: string, content: string, extra?: Extra) => lab.manifestFor(name, content, extra);
const putManifest = (name: string, reference: string, body: string, mediaType?: string) =>
  lab.putManifest(name, reference, body, mediaType);

describe("referrers", () => {
  const list = async (name: string, digest: string, query = "") => {
    const response = await ask("GET", `/v2/${name}/referrers/${digest}${query}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, mediaTypes.ociIndex]);
    const { manifests } = (await response.json()) as { manifests: { digest: string; artifactType?: string }[] };
    return { response, manifests };
  };

  test("are listed with what they are, before and after their subject comes", async () => {
    const subject = await manifestFor("r/app", "subject");
    const digest = digestOf(subject);
    const extra = { subject: { mediaType: mediaTypes.ociManifest, digest, size: subject.length } };
    const sbom = await manifestFor("r/app", "sbom", { ...extra, artifactType: "a/sbom", annotations: { of: "app" } });
    const other = await manifestFor("r/app", "other", extra);
    for (const body of [sbom, other]) {
      const put = await putManifest("r/app", digestOf(body), body);
      expect([put.status, put.headers.get("oci-subject")]).toEqual([201, digest]);
    }
    const expected = [
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(sbom),
        size: sbom.length,
        artifactType: "a/sbom",
        annotations: { of: "app" },
      },
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(other),
        size: other.length,
        artifactType: mediaTypes.ociConfig,
      },
    ].sort((one, two) => (one.digest < two.digest ? -1 : 1));
    expect((await list("r/app", digest)).manifests as object[]).toEqual(expected);
    await putManifest("r/app", "subject", subject);
    const filtered = await list("r/app", digest, "?artifactType=a/sbom");
    expect(filtered.manifests.map((one) => one.digest)).toEqual([digestOf(sbom)]);
    expect(filtered.response.headers.get("oci-filters-applied")).toBe("artifactType");
    const first = await list("r/app", digest, "?n=1");
    expect(first.response.headers.get("link")).toContain('rel="next"');
    await ask("DELETE", `/v2/r/app/manifests/${digestOf(sbom)}`);
    expect((await list("r/app", digest)).manifests.map((one) => one.digest)).toEqual([digestOf(other)]);
  });

  test("of nothing are none", async () => {
    expect((await list("r/nobody", digestOf("x"))).manifests).toEqual([]);
    expect(await errorOf(await ask("GET", "/v2/r/app/referrers/sha256:abc"))).toBe("400 DIGEST_INVALID");
  });
});

describe("everything else", () => {
  test("the list of repositories", async () => {
    await pushBlob("z/z-1", "x");
    await pushBlob("z/z/1", "x");
    const { repositories } = (await (await ask("GET", "/v2/_catalog?last=z&n=2")).json()) as { repositories: string[] };
    expect(repositories).toEqual(["z/z-1", "z/z/1"]);
  });

  test("names that are none", async () => {
    for (const name of ["UPPER", "a//b", "-a", "a_", "a/..%2fb", "a".repeat(256)]) {
      expect(await errorOf(await ask("GET", `/v2/${name}/tags/list`))).toBe("400 NAME_INVALID");
    }
    expect(await errorOf(await ask("GET", "/v2/nobody/tags/list"))).toBe("404 NAME_UNKNOWN");
    expect(await errorOf(await ask("GET", "/v2/nobody/manifests/latest"))).toBe("404 MANIFEST_UNKNOWN");
  });

  test("names that hold the protocol's own words", async () => {
    const name = "blobs/uploads/manifests/tags/list";
    const body = await manifestFor(name, "layer");
    expect((await putManifest(name, "list", body)).status).toBe(201);
    expect(await (await ask("GET", `/v2/${name}/tags/list`)).json()).toEqual({ name, tags: ["list"] });
  });

  test("paths and methods that mean nothing", async () => {
    expect((await ask("GET", "/v2/")).status).toBe(200);
    expect(await errorOf(await ask("GET", "/"))).toBe("404 UNSUPPORTED");
    const refused = await ask("POST", `/v2/a/blobs/${digestOf("x")}`);
    expect([await errorOf(refused), refused.headers.get("allow")]).toEqual(["405 UNSUPPORTED", "GET, HEAD, DELETE"]);
  });

  test("the storage has one server at a time", async () => {
    await expect(lab.start()).rejects.toThrow("another process");
  });

  test("deletion and pushing can be switched off", async () => {
    const body = await manifestFor("off/app", "layer");
    await putManifest("off/app", "1", body);
    await lab.restart({ deletion: false });
    expect(await errorOf(await ask("DELETE", "/v2/off/app/manifests/1"))).toBe("405 UNSUPPORTED");
    await lab.restart({ readOnly: true });
    expect(await errorOf(await ask("POST", "/v2/off/app/blobs/uploads/"))).toBe("405 UNSUPPORTED");
    expect(await errorOf(await putManifest("off/app", "2", body))).toBe("405 UNSUPPORTED");
    expect((await ask("GET", "/v2/off/app/manifests/1")).status).toBe(200);
    await lab.restart();
  });
});
