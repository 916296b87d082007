/** The registry server, request by request, as distribution-spec 1.1 has them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { digestOf } from "../../src/image/digest.ts";
import { isMultipart, multipart } from "../../src/image/transports/registry/multipart.ts";
import { mediaTypes } from "../../src/spec/image.ts";
import { errorOf, type Given, Lab, location } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = new Lab();
  await lab.restart();
});
afterAll(() => lab.end());

const ask = (method: string, path: string, given?: Given) => lab.ask(method, path, given);
const pushBlob = (name: string, content: string | Uint8Array) => lab.pushBlob(name, content);
const manifestFor = (name: string, content: string) => lab.manifestFor(name, content);
const putManifest = (name: string, reference: string, body: string, mediaType?: string) =>
  lab.putManifest(name, reference, body, mediaType);
const withDigest = (path: string, digest: string) => `${path}${path.includes("?") ? "&" : "?"}digest=${digest}`;

const noise = crypto.getRandomValues(new Uint8Array(60_000));

describe("blobs", () => {
  test("come back as they were pushed, with what is known of them", async () => {
    const digest = await pushBlob("blobs/one", noise);
    for (const method of ["GET", "HEAD"]) {
      const response = await ask(method, `/v2/blobs/one/blobs/${digest}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
      expect(response.headers.get("content-length")).toBe("60000");
      expect(response.headers.get("etag")).toBe(`"${digest}"`);
      expect(await response.bytes()).toEqual(method === "GET" ? noise : new Uint8Array(0));
    }
  });

  test("are given in parts", async () => {
    const digest = await pushBlob("blobs/one", noise);
    const part = (range: string) => ask("GET", `/v2/blobs/one/blobs/${digest}`, { headers: { range } });
    const middle = await part("bytes=100-199");
    expect([middle.status, middle.headers.get("content-range")]).toEqual([206, "bytes 100-199/60000"]);
    expect(await middle.bytes()).toEqual(noise.subarray(100, 200));
    expect(await (await part("bytes=59990-")).bytes()).toEqual(noise.subarray(59990));
    expect(await (await part("bytes=-10")).bytes()).toEqual(noise.subarray(59990));
    const beyond = await part("bytes=60000-");
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */60000"]);
  });

  test("are given in several parts at once, unless those overlap, are out of order or too many", async () => {
    const digest = await pushBlob("blobs/one", noise);
    const part = (range: string) => ask("GET", `/v2/blobs/one/blobs/${digest}`, { headers: { range } });
    const several = await part("bytes=0-1, 100-49999,-5");
    expect(several.status).toBe(206);
    expect(isMultipart(several.headers.get("content-type"))).toBeTrue();
    const bytes = Buffer.alloc(60000);
    for await (const placed of multipart(several.body ?? new ReadableStream()))
      bytes.set(placed.bytes, placed.position);
    const expected = Buffer.alloc(60000);
    for (const [from, to] of [
      [0, 2],
      [100, 50_000],
      [59_995, 60_000],
    ] as const)
      expected.set(noise.subarray(from, to), from);
    expect(bytes.equals(expected)).toBeTrue();
    const many = Array.from({ length: 1025 }, (_, index) => `${index * 2}-${index * 2}`).join(",");
    for (const range of ["0-1,1-2", "5-6,0-1", "0-1,5", "0-1,60000-", many]) {
      const whole = await part(`bytes=${range}`);
      expect([whole.status, (await whole.bytes()).length]).toEqual([200, 60000]);
    }
  });

  test("that the client has already are not sent again", async () => {
    const digest = await pushBlob("blobs/one", noise);
    const headers = { "if-none-match": `"${digest}"` };
    const response = await ask("GET", `/v2/blobs/one/blobs/${digest}`, { headers });
    expect([response.status, await response.text()]).toEqual([304, ""]);
    const stale = { "if-range": '"other"', range: "bytes=0-1" };
    expect((await ask("GET", `/v2/blobs/one/blobs/${digest}`, { headers: stale })).status).toBe(200);
  });

  test("may be empty", async () => {
    const digest = await pushBlob("blobs/one", "");
    const response = await ask("GET", `/v2/blobs/one/blobs/${digest}`);
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, "0", ""]);
  });

  test("are not seen from other repositories until they are mounted there", async () => {
    const digest = await pushBlob("blobs/source", "shared");
    await pushBlob("blobs/other", "something");
    expect(await errorOf(await ask("GET", `/v2/blobs/other/blobs/${digest}`))).toBe("404 BLOB_UNKNOWN");
    const mounted = await ask("POST", `/v2/blobs/other/blobs/uploads/?mount=${digest}&from=blobs/source`);
    expect([mounted.status, location(mounted)]).toEqual([201, `/v2/blobs/other/blobs/${digest}`]);
    expect(await (await ask("GET", location(mounted))).text()).toBe("shared");
    const refused = await ask("POST", `/v2/blobs/third/blobs/uploads/?mount=${digest}&from=blobs/nobody`);
    expect(refused.status).toBe(202);
    expect(location(refused)).toMatch(/^\/v2\/blobs\/third\/blobs\/uploads\/[-0-9a-f]{36}$/);
  });

  test("of sha512 are kept too", async () => {
    const digest = digestOf(noise, "sha512");
    const begun = await ask("POST", "/v2/blobs/one/blobs/uploads/?digest-algorithm=sha512");
    const done = await ask("PUT", withDigest(location(begun), digest), { body: noise });
    expect([done.status, done.headers.get("docker-content-digest")]).toEqual([201, digest]);
    expect(await (await ask("GET", location(done))).bytes()).toEqual(noise);
  });

  test("are deleted from one repository and stay in the others", async () => {
    const digest = await pushBlob("blobs/source", "to be deleted");
    await pushBlob("blobs/keeps", "to be deleted");
    expect((await ask("DELETE", `/v2/blobs/source/blobs/${digest}`)).status).toBe(202);
    expect(await errorOf(await ask("DELETE", `/v2/blobs/source/blobs/${digest}`))).toBe("404 BLOB_UNKNOWN");
    expect((await ask("GET", `/v2/blobs/keeps/blobs/${digest}`)).status).toBe(200);
    expect((await ask("DELETE", `/v2/blobs/keeps/blobs/${digest}`)).status).toBe(202);
    expect(existsSync(join(lab.root, "blobs", digest.replace(":", "/")))).toBeFalse();
  });

  test("that are malformed or of another content are refused", async () => {
    const post = (query: string) => ask("POST", `/v2/blobs/one/blobs/uploads/?${query}`, { body: "x" });
    expect(await errorOf(await post("digest=sha256:abc"))).toBe("400 DIGEST_INVALID");
    expect(await errorOf(await post("digest=md5:d41d8cd98f00b204e9800998ecf8427e"))).toBe("400 DIGEST_INVALID");
    expect(await errorOf(await post("digest-algorithm=md5"))).toBe("400 DIGEST_INVALID");
    expect(await errorOf(await post(`digest=${digestOf("y")}`))).toBe("400 DIGEST_INVALID");
    expect((await ask("HEAD", `/v2/blobs/one/blobs/${digestOf("y")}`)).status).toBe(404);
    expect(await errorOf(await ask("GET", "/v2/blobs/one/blobs/sha256:abc"))).toBe("400 DIGEST_INVALID");
  });
});

describe("uploads", () => {
  const patch = (path: string, from: number, to: number) =>
    ask("PATCH", path, { body: noise.subarray(from, to), headers: { "content-range": `${from}-${to - 1}` } });

  test("in chunks, one after the other", async () => {
    let next = location(await ask("POST", "/v2/uploads/a/blobs/uploads/"));
    for (const [from, to] of [
      [0, 20_000],
      [20_000, 50_000],
    ] as const) {
      const chunk = await patch(next, from, to);
      expect([chunk.status, chunk.headers.get("range")]).toEqual([202, `0-${to - 1}`]);
      next = location(chunk);
    }
    const state = await ask("GET", next);
    expect([state.status, state.headers.get("range"), location(state)]).toEqual([204, "0-49999", next]);
    const headers = { "content-range": "50000-59999" };
    const done = await ask("PUT", withDigest(next, digestOf(noise)), { body: noise.subarray(50_000), headers });
    expect([done.status, location(done)]).toEqual([201, `/v2/uploads/a/blobs/${digestOf(noise)}`]);
    expect(await (await ask("GET", location(done))).bytes()).toEqual(noise);
    expect(await errorOf(await ask("GET", next))).toBe("404 BLOB_UPLOAD_UNKNOWN");
  });

  test("out of order are refused, and the client told where to go on", async () => {
    const next = location(await ask("POST", "/v2/uploads/a/blobs/uploads/"));
    expect((await patch(next, 0, 1000)).status).toBe(202);
    for (const [from, to] of [
      [500, 1500],
      [2000, 3000],
    ] as const) {
      const refused = await patch(next, from, to);
      expect([refused.status, refused.headers.get("range"), location(refused)]).toEqual([416, "0-999", next]);
    }
    const last = await ask("PUT", withDigest(next, digestOf(noise)), {
      body: noise.subarray(1),
      headers: { "content-range": "1-59999" },
    });
    expect(last.status).toBe(416);
    const lies = await ask("PATCH", next, { body: "ab", headers: { "content-range": "1000-1009" } });
    expect(await errorOf(lies)).toBe("400 SIZE_INVALID");
    expect((await ask("GET", next)).headers.get("range")).toBe("0-999");
  });

  test("go on after a restart of the server", async () => {
    const next = location(await ask("POST", "/v2/uploads/a/blobs/uploads/"));
    expect((await patch(next, 0, 30_000)).status).toBe(202);
    await lab.restart();
    expect((await ask("GET", next)).headers.get("range")).toBe("0-29999");
    expect((await patch(next, 30_000, 60_000)).status).toBe(202);
    expect((await ask("PUT", withDigest(next, digestOf(noise)))).status).toBe(201);
    expect(await (await ask("GET", `/v2/uploads/a/blobs/${digestOf(noise)}`)).bytes()).toEqual(noise);
  });

  test("are given up on request, and by a wrong digest", async () => {
    const first = location(await ask("POST", "/v2/uploads/b/blobs/uploads/"));
    expect((await ask("DELETE", first)).status).toBe(204);
    expect(await errorOf(await ask("DELETE", first))).toBe("404 BLOB_UPLOAD_UNKNOWN");
    const second = location(await ask("POST", "/v2/uploads/b/blobs/uploads/"));
    const done = await ask("PUT", withDigest(second, digestOf("other")), { body: "this" });
    expect(await errorOf(done)).toBe("400 DIGEST_INVALID");
    expect(await errorOf(await ask("PATCH", second, { body: "x" }))).toBe("404 BLOB_UPLOAD_UNKNOWN");
    expect(readdirSync(join(lab.root, "repositories/uploads/b/_uploads"))).toEqual([]);
  });

  test("that were to come whole and were cut off leave nothing", async () => {
    const directory = join(lab.root, "repositories/uploads/d/_uploads");
    const came = () =>
      (existsSync(directory) ? readdirSync(directory) : []).map((id) => statSync(join(directory, id)).size);
    const whole = `POST /v2/uploads/d/blobs/uploads/?digest=${digestOf("x")} HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n`;
    const socket = connect(Number(lab.url.port), "127.0.0.1", () => socket.write(`${whole}0123456789`));
    while (came().length === 0) await Bun.sleep(10);
    socket.destroy();
    while (came().length > 0) await Bun.sleep(10);
    expect(came()).toEqual([]);
  });

  test("are known by the IDs that were given, and by no path", async () => {
    const begun = location(await ask("POST", "/v2/uploads/c/blobs/uploads/"));
    const id = begun.slice(begun.lastIndexOf("/") + 1);
    for (const path of ["..%2f_layout%2findex.json", "nothing", "_layout"]) {
      expect((await ask("PATCH", `/v2/uploads/c/blobs/uploads/${path}`, { body: "x" })).status).toBe(404);
    }
    expect((await ask("PATCH", `/v2/uploads/a/blobs/uploads/${id}`, { body: "x" })).status).toBe(404);
  });
});

describe("manifests", () => {
  test("come back by tag and digest, byte for byte", async () => {
    const body = `${await manifestFor("m/app", "layer")}\n `;
    const digest = digestOf(body);
    const put = await putManifest("m/app", "1.0", body);
    expect([put.status, put.headers.get("docker-content-digest")]).toEqual([201, digest]);
    expect(location(put)).toBe(`/v2/m/app/manifests/${digest}`);
    for (const reference of ["1.0", digest, encodeURIComponent(digest)]) {
      const response = await ask("GET", `/v2/m/app/manifests/${reference}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, mediaTypes.ociManifest]);
      expect(await response.text()).toBe(body);
      const head = await ask("HEAD", `/v2/m/app/manifests/${reference}`);
      expect([head.headers.get("docker-content-digest"), head.headers.get("content-length")]).toEqual([
        digest,
        String(body.length),
      ]);
    }
    const known = await ask("GET", "/v2/m/app/manifests/1.0", { headers: { "if-none-match": `"${digest}"` } });
    expect(known.status).toBe(304);
  });

  test("need their blobs, but not what an index lists", async () => {
    const body = await manifestFor("m/app", "layer");
    await pushBlob("m/empty", "something");
    expect(await errorOf(await putManifest("m/empty", "1", body))).toBe("400 MANIFEST_BLOB_UNKNOWN");
    const child = { mediaType: mediaTypes.ociManifest, digest: digestOf("absent"), size: 6 };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] });
    expect((await putManifest("m/empty", "sparse", index, mediaTypes.ociIndex)).status).toBe(201);
  });

  test("that are none are refused", async () => {
    const invalid = async (body: string, type?: string) => errorOf(await putManifest("m/app", "bad", body, type));
    expect(await invalid("{")).toBe("400 MANIFEST_INVALID");
    expect(await invalid("[]")).toBe("400 MANIFEST_INVALID");
    expect(await invalid('{"schemaVersion":1}')).toBe("400 MANIFEST_INVALID");
    expect(await invalid('{"schemaVersion":2,"layers":[{}]}')).toBe("400 MANIFEST_INVALID");
    expect(await invalid(await manifestFor("m/app", "layer"), mediaTypes.ociIndex)).toBe("400 MANIFEST_INVALID");
    expect(await invalid(" ".repeat((4 << 20) + 1))).toBe("413 MANIFEST_INVALID");
    const wrong = await putManifest("m/app", digestOf("other"), await manifestFor("m/app", "layer"));
    expect(await errorOf(wrong)).toBe("400 DIGEST_INVALID");
  });

  test("by digest may bring tags along", async () => {
    const body = await manifestFor("m/tags", "layer");
    const put = await ask("PUT", `/v2/m/tags/manifests/${digestOf(body)}?tag=1&tag=1.2&tag=latest`, {
      body,
      headers: { "content-type": mediaTypes.ociManifest },
    });
    expect([put.status, put.headers.get("oci-tag")]).toEqual([201, "1, 1.2, latest"]);
    expect(await (await ask("GET", "/v2/m/tags/tags/list")).json()).toEqual({
      name: "m/tags",
      tags: ["1", "1.2", "latest"],
    });
  });

  test("go with their tags, tags go alone", async () => {
    const body = await manifestFor("m/gone", "layer");
    for (const tag of ["a", "b", "c"]) expect((await putManifest("m/gone", tag, body)).status).toBe(201);
    expect((await ask("DELETE", "/v2/m/gone/manifests/a")).status).toBe(202);
    expect(await errorOf(await ask("GET", "/v2/m/gone/manifests/a"))).toBe("404 MANIFEST_UNKNOWN");
    expect((await ask("GET", "/v2/m/gone/manifests/b")).status).toBe(200);
    expect(await errorOf(await ask("DELETE", `/v2/m/gone/blobs/${digestOf(body)}`))).toBe("405 UNSUPPORTED");
    expect((await ask("DELETE", `/v2/m/gone/manifests/${digestOf(body)}`)).status).toBe(202);
    for (const reference of ["b", "c", digestOf(body)]) {
      expect((await ask("GET", `/v2/m/gone/manifests/${reference}`)).status).toBe(404);
    }
    expect(await (await ask("GET", "/v2/m/gone/tags/list")).json()).toEqual({ name: "m/gone", tags: [] });
  });

  test("pushed at the same time all arrive", async () => {
    const body = await manifestFor("m/many", "layer");
    const tags = Array.from({ length: 100 }, (_, number) => `t${String(number).padStart(3, "0")}`);
    const answers = await Promise.all(tags.map((tag) => putManifest("m/many", tag, body)));
    expect(answers.every(({ status }) => status === 201)).toBeTrue();
    expect(await (await ask("GET", "/v2/m/many/tags/list")).json()).toEqual({ name: "m/many", tags });
    const page = await ask("GET", "/v2/m/many/tags/list?n=10&last=t049");
    expect(((await page.json()) as { tags: string[] }).tags).toEqual(tags.slice(50, 60));
    expect(page.headers.get("link")).toBe('</v2/m/many/tags/list?n=10&last=t059>; rel="next"');
  });
});
