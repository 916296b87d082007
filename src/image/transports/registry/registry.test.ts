import { describe, expect, test } from "bun:test";
import { mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { parseReference } from "../../reference.ts";
import type { Retry } from "../transport.ts";
import { cutBody, fakeExchange, type Handler, serveContent } from "./fake-registry.ts";
import { RegistryTransport } from "./registry.ts";
import {
  blob,
  blobDescriptor,
  described,
  faultOf,
  manifest,
  read,
  reference,
  status,
  transportOf,
} from "./test-transport.ts";

describe("a reference is resolved", () => {
  test("with one HEAD request that accepts indexes and manifests of both kinds", async () => {
    const { transport, seen } = transportOf(serveContent({ 1: manifest }));
    expect(await transport.resolve(reference)).toEqual(described);
    expect(seen.map(({ method, url }) => `${method} ${url.href}`)).toEqual([
      "HEAD https://registry.example/v2/team/app/manifests/1",
    ]);
    for (const type of [
      mediaTypes.ociIndex,
      mediaTypes.ociManifest,
      mediaTypes.dockerList,
      mediaTypes.dockerManifest,
    ]) {
      expect(seen[0]?.headers.get("accept")).toContain(type);
    }
    expect(seen[0]?.headers.get("accept-encoding")).toBe("identity");
  });

  test("with GET where HEAD does not say enough, and the manifest is not fetched twice", async () => {
    const bare: Handler = ({ method }) => (method === "HEAD" ? new Response(null) : undefined);
    const { transport, seen } = transportOf(bare, serveContent({ 1: manifest }));
    const target = await transport.resolve(reference);
    expect(target).toMatchObject(described);
    expect(Buffer.from(await transport.fetchManifest(reference, target)).toString()).toBe(manifest.content);
    expect(seen).toHaveLength(2);
  });

  test("on Docker Hub's machine", async () => {
    const { transport, seen } = transportOf(serveContent({ latest: manifest }));
    await transport.resolve(parseReference("busybox:latest"));
    expect(seen[0]?.url.href).toBe("https://registry-1.docker.io/v2/library/busybox/manifests/latest");
  });

  test("and what is not there is not found, in the registry's words", async () => {
    const fault = await faultOf(transportOf(serveContent({})).transport.resolve(reference));
    expect(fault.code).toBe("not_found");
    expect(fault.describe()).toStartWith(
      "pull registry.example/team/app:1: not found in the registry: manifest unknown",
    );
  });
});

describe("a manifest", () => {
  test("that is not what its descriptor says is refused", async () => {
    const altered: Handler = ({ method }) => (method === "GET" ? new Response('{"schemaVersion":3}') : undefined);
    const { transport } = transportOf(altered);
    expect((await faultOf(transport.fetchManifest(reference, described))).code).toBe("data_loss");
  });

  test("is read by its tag in one request", async () => {
    const { transport, seen } = transportOf(serveContent({ 1: manifest }));
    const { descriptor, bytes } = await transport.read(reference);
    expect(descriptor).toEqual(described);
    expect(Buffer.from(bytes).toString()).toBe(manifest.content);
    expect(seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("that is not what the registry says that it is, or what was asked for, is refused", async () => {
    const headers = { "docker-content-digest": digestOf("something else") };
    const { transport } = transportOf(() => new Response(manifest.content, { headers }));
    expect((await faultOf(transport.read(reference))).code).toBe("data_loss");
    const named = { ...reference, digest: digestOf("what was named") };
    expect((await faultOf(transportOf(serveContent({ [named.digest]: manifest })).transport.read(named))).code).toBe(
      "data_loss",
    );
  });

  test("that is too large is refused before and while it is read", async () => {
    const { transport } = transportOf(() => new Response(new Uint8Array((4 << 20) + 1)));
    const announced = await faultOf(transport.fetchManifest(reference, { ...described, size: (4 << 20) + 1 }));
    expect(announced.message).toContain("larger than the 4194304 bytes");
    const sent = await faultOf(transport.fetchManifest(reference, described));
    expect(sent.message).toContain("larger than the 4194304 bytes");
  });
});

describe("a registry on this machine", () => {
  const local = parseReference("127.0.0.1:5000/app:1");
  const refused: Handler = () => {
    throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  };
  const only = (protocol: string, handler: Handler, otherwise: Handler): Handler => {
    return (seen) => (seen.url.protocol === protocol ? handler(seen) : otherwise(seen));
  };
  const content = serveContent({ 1: manifest });

  test("is asked in plain HTTP first", async () => {
    const { transport, seen } = transportOf(only("http:", content, refused));
    await transport.resolve(local);
    expect(seen.map(({ url }) => url.href)).toEqual([
      "http://127.0.0.1:5000/v2/",
      "http://127.0.0.1:5000/v2/app/manifests/1",
    ]);
  });

  test("is asked by TLS where plain HTTP is answered like that", async () => {
    for (const answer of [status(400), () => Promise.reject(Object.assign(new Error(), { code: "ECONNRESET" }))]) {
      const { transport, seen } = transportOf(only("https:", content, answer));
      await transport.resolve(local);
      expect(seen.at(-1)?.url.protocol).toBe("https:");
    }
  });

  test("is asked by TLS first on TLS's own port", async () => {
    const { transport, seen } = transportOf(only("http:", content, refused));
    await transport.resolve(parseReference("localhost/app:1"));
    expect(seen.map(({ url }) => url.protocol)).toEqual(["https:", "http:", "http:"].slice(0, seen.length));
    expect(seen.at(-1)?.url.href).toBe("http://localhost/v2/app/manifests/1");
  });

  test("that is not there is unavailable; another machine is never asked in plain HTTP", async () => {
    expect(await faultOf(transportOf(refused).transport.resolve(local))).toMatchObject({ code: "unavailable" });
    const { transport, seen } = transportOf(only("http:", content, refused));
    expect((await faultOf(transport.resolve(reference))).message).toBe("nothing answers there");
    expect(seen).toHaveLength(1);
  });

  test("with a certificate that is not trusted is told so", async () => {
    const untrusted: Handler = () => {
      throw Object.assign(new Error(), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    };
    const fault = await faultOf(transportOf(only("https:", untrusted, status(400))).transport.resolve(local));
    expect(fault.describe()).toContain("certs.d/127.0.0.1:5000/ca.crt");
  });
});

describe("a redirect", () => {
  const away = (location: string): Handler => {
    return ({ url }) => (url.host === "registry.example" ? Response.redirect(location, 307) : undefined);
  };

  test("to another host is followed without the authorization", async () => {
    const challenge = { "www-authenticate": 'Basic realm="r"' };
    const gate: Handler = ({ url, headers }) =>
      url.host === "registry.example" && !headers.has("authorization")
        ? new Response("", { status: 401, headers: challenge })
        : undefined;
    const { exchange, seen } = fakeExchange(gate, away("https://cdn.example/blob"), () => new Response(blob));
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    const content = await read(new RegistryTransport({ exchange, credentials }).fetchBlob(reference, blobDescriptor));
    expect(content.equals(blob)).toBeTrue();
    expect(seen.at(-1)?.url.host).toBe("cdn.example");
    expect(seen.at(-1)?.headers.has("authorization")).toBeFalse();
  });

  test("from TLS to plain HTTP is followed for a digest alone", async () => {
    const { transport } = transportOf(away("http://cdn.example/x"), () => new Response(blob));
    expect((await read(transport.fetchBlob(reference, blobDescriptor))).length).toBe(blob.length);
    expect((await faultOf(transport.resolve(reference))).message).toContain("from TLS to plain HTTP");
  });

  test("without end or to somewhere strange is not followed", async () => {
    const loop = transportOf(away("https://registry.example/again")).transport;
    expect((await faultOf(loop.resolve(reference))).message).toContain("more than 10");
    const strange = transportOf(status(302, { location: "file:///etc/passwd" })).transport;
    expect((await faultOf(strange.resolve(reference))).message).toContain("file:///etc/passwd");
  });
});

describe("a failure that may pass", () => {
  const content = serveContent({ 1: manifest }, [blob]);

  test("is tried again after a while, or when the registry says", async () => {
    const { transport, waits } = transportOf(status(503, {}, 2), status(429, { "retry-after": "3" }, 1), content);
    const retries: Retry[] = [];
    expect(await transport.resolve(reference, { onRetry: (retry) => retries.push(retry) })).toEqual(described);
    expect(waits).toHaveLength(3);
    expect(waits[2]).toBe(3);
    expect(retries.map(({ seconds }) => seconds)).toEqual(waits);
    expect(retries[2]?.reason).toContain("toomanyrequests");
  });

  test("ends after some attempts", async () => {
    const { transport, waits } = transportOf(status(500));
    expect(await faultOf(transport.resolve(reference))).toMatchObject({ code: "unavailable" });
    expect(waits).toHaveLength(4);
  });

  test("is not waited for when the registry asks for too much", async () => {
    const { transport, waits } = transportOf(status(429, { "retry-after": "3600" }));
    expect((await faultOf(transport.resolve(reference))).describe()).toContain("try again in 3600 seconds");
    expect(waits).toEqual([]);
  });

  test("while waiting ends with the signal", async () => {
    const { exchange } = fakeExchange(status(503));
    const controller = new AbortController();
    const resolving = new RegistryTransport({ exchange }).resolve(reference, {
      signal: controller.signal,
      onRetry: () => controller.abort(new Error("enough")),
    });
    await expect(resolving).rejects.toThrow("enough");
  });
});

describe("a blob", () => {
  const content = serveContent({}, [blob]);

  test("is continued where the connection was cut", async () => {
    let cuts = 0;
    const cut: Handler = ({ headers }) => {
      if (cuts++ >= 2) return undefined;
      const start = Number(/\d+/.exec(headers.get("range") ?? "")?.[0] ?? 0);
      const part = cutBody(blob.subarray(start, start + 100_000));
      const range = { "content-range": `bytes ${start}-${blob.length - 1}/${blob.length}` };
      return start === 0 ? new Response(part) : new Response(part, { status: 206, headers: range });
    };
    const { transport, seen, waits } = transportOf(cut, content);
    expect((await read(transport.fetchBlob(reference, blobDescriptor))).equals(blob)).toBeTrue();
    expect(seen.map(({ headers }) => headers.get("range"))).toEqual([null, "bytes=100000-", "bytes=200000-"]);
    expect(waits).toHaveLength(2);
  });

  test("is fetched whole where the registry refuses a range", async () => {
    const refusing: Handler = ({ headers }) => (headers.has("range") ? new Response("", { status: 416 }) : undefined);
    const { transport } = transportOf(refusing, content);
    expect(await read(transport.fetchBlob(reference, blobDescriptor, { offset: 5 }))).toEqual(blob.subarray(5));
  });

  test("begins at an offset, even where the registry knows no ranges", async () => {
    const whole: Handler = () => new Response(blob);
    for (const handler of [content, whole]) {
      const { transport } = transportOf(handler);
      const rest = await read(transport.fetchBlob(reference, blobDescriptor, { offset: 123_456 }));
      expect(rest.equals(blob.subarray(123_456))).toBeTrue();
    }
  });

  test("that ends too early again and again is unavailable", async () => {
    const { transport, waits } = transportOf(() => new Response(blob.subarray(0, 10)));
    const fault = await faultOf(read(transport.fetchBlob(reference, blobDescriptor)));
    expect(fault.message).toContain("of 300000 bytes");
    expect(waits.length).toBeLessThan(10);
  });

  test("of which another part is sent than was asked for is refused", async () => {
    const off = { "content-range": "bytes 200000-299999/300000" };
    const { transport } = transportOf(() => new Response(blob.subarray(200_000), { status: 206, headers: off }));
    const fault = await faultOf(read(transport.fetchBlob(reference, blobDescriptor, { offset: 100_000 })));
    expect(fault.message).toContain("another part");
  });

  test("that lies elsewhere is fetched from there, foreign layers first of all", async () => {
    const elsewhere: Handler = ({ url }) => (url.host === "files.example" ? new Response(blob) : undefined);
    const urls = ["https://files.example/layer", "ftp://files.example/layer"];
    const plain = transportOf(elsewhere);
    expect((await read(plain.transport.fetchBlob(reference, { ...blobDescriptor, urls }))).equals(blob)).toBeTrue();
    expect(plain.seen.map(({ url }) => url.host)).toEqual(["registry.example", "files.example"]);
    const foreign = transportOf(elsewhere);
    const mediaType = mediaTypes.dockerForeignLayerGzip;
    await read(foreign.transport.fetchBlob(reference, { ...blobDescriptor, urls, mediaType }));
    expect(foreign.seen.map(({ url }) => url.host)).toEqual(["files.example"]);
  });
});
