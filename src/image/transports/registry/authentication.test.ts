import { describe, expect, test } from "bun:test";
import { Authorizer } from "./authorizer.ts";
import { RegistryClient } from "./client.ts";
import { fakeExchange, type Handler, serveContent } from "./fake-registry.ts";
import { RegistryTransport } from "./registry.ts";
import { blob, blobDescriptor, described, faultOf, manifest, read, reference, transportOf } from "./test-transport.ts";

describe("authentication", () => {
  const realm = "https://auth.example/token";
  const gate = (accepted: ReadonlySet<string>, challenge: string): Handler => {
    return ({ url, headers }) => {
      if (url.host !== "registry.example" || accepted.has(headers.get("authorization") ?? "")) return undefined;
      return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
    };
  };
  const bearer = `Bearer realm="${realm}",service="svc",scope="repository:team/app:pull"`;

  test("gets a token without a login, once for all requests", async () => {
    const tokens: Handler = ({ url }) => (url.host === "auth.example" ? Response.json({ token: "t1" }) : undefined);
    const content = serveContent({ 1: manifest }, [blob]);
    const { transport, seen } = transportOf(tokens, gate(new Set(["Bearer t1"]), bearer), content);
    await transport.resolve(reference);
    await Promise.all([1, 2, 3].map(() => read(transport.fetchBlob(reference, blobDescriptor))));
    const asked = seen.filter(({ url }) => url.host === "auth.example");
    expect(asked.map(({ url }) => url.search)).toEqual(["?service=svc&scope=repository%3Ateam%2Fapp%3Apull"]);
    expect(asked[0]?.headers.has("authorization")).toBeFalse();
  });

  test("sends a password only to the token service, and renews a token that is refused", async () => {
    let issued = 0;
    const accepted = new Set<string>();
    const tokens: Handler = ({ url }) => {
      if (url.host !== "auth.example") return undefined;
      accepted.clear();
      accepted.add(`Bearer t${++issued}`);
      return Response.json({ access_token: `t${issued}`, expires_in: 300 });
    };
    const { exchange, seen } = fakeExchange(tokens, gate(accepted, bearer), serveContent({ 1: manifest }));
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    const transport = new RegistryTransport({ exchange, credentials });
    await transport.resolve(reference);
    accepted.clear();
    await transport.resolve(reference);
    expect(issued).toBe(2);
    for (const { url, headers } of seen) {
      const basic = headers.get("authorization")?.startsWith("Basic ") ?? false;
      expect(basic).toBe(url.host === "auth.example");
    }
    expect(seen.find(({ url }) => url.host === "auth.example")?.url.searchParams.get("account")).toBe("me");
  });

  test("exchanges an identity token", async () => {
    const tokens: Handler = ({ url, method, body }) => {
      if (url.host !== "auth.example") return undefined;
      const form = new URLSearchParams(body);
      const right =
        method === "POST" && form.get("grant_type") === "refresh_token" && form.get("refresh_token") === "id";
      return right ? Response.json({ access_token: "t" }) : new Response("", { status: 400 });
    };
    const { exchange } = fakeExchange(tokens, gate(new Set(["Bearer t"]), bearer), serveContent({ 1: manifest }));
    const transport = new RegistryTransport({ exchange, credentials: { kind: "identity", token: "id" } });
    expect(await transport.resolve(reference)).toEqual(described);
  });

  test("by basic authentication", async () => {
    const accepted = new Set([`Basic ${btoa("me:pw")}`]);
    const { exchange } = fakeExchange(gate(accepted, 'Basic realm="r"'), serveContent({ 1: manifest }));
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    expect(await new RegistryTransport({ exchange, credentials }).resolve(reference)).toEqual(described);
    const wrong = { ...credentials, password: "no" };
    const fault = await faultOf(new RegistryTransport({ exchange, credentials: wrong }).resolve(reference));
    expect(fault.code).toBe("unauthenticated");
  });

  test("sends a password that is refused only once", async () => {
    const { exchange, seen } = fakeExchange(gate(new Set(), 'Basic realm="r"'));
    const credentials = { kind: "password", username: "me", password: "no" } as const;
    await faultOf(new RegistryTransport({ exchange, credentials }).resolve(reference));
    expect(seen.filter(({ headers }) => headers.has("authorization"))).toHaveLength(1);
  });

  test("does not tell the login to what the registry redirects to", async () => {
    const away: Handler = ({ url }) =>
      url.host === "registry.example" ? Response.redirect("https://store.example/x", 307) : undefined;
    const store: Handler = ({ url }) =>
      url.host === "store.example"
        ? new Response("", {
            status: 401,
            headers: { "www-authenticate": 'Bearer realm="https://store.example/token"' },
          })
        : undefined;
    const { exchange, seen } = fakeExchange(gate(new Set([`Basic ${btoa("me:pw")}`]), 'Basic realm="r"'), away, store);
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    const fault = await faultOf(
      read(new RegistryTransport({ exchange, credentials }).fetchBlob(reference, blobDescriptor)),
    );
    expect(fault.code).toBe("unauthenticated");
    const strangers = seen.filter(({ url }) => url.host === "store.example");
    expect(strangers.map(({ url, headers }) => [url.pathname, headers.has("authorization")])).toEqual([["/x", false]]);
  });

  test("that the token service refuses is told with what to do", async () => {
    const tokens: Handler = ({ url }) => (url.host === "auth.example" ? new Response("", { status: 401 }) : undefined);
    const { exchange } = fakeExchange(tokens, gate(new Set(), bearer));
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    const fault = await faultOf(new RegistryTransport({ exchange, credentials }).resolve(reference));
    expect(fault.describe()).toContain("log in https://auth.example: the registry does not accept the login");
  });

  test("does not send a login to a token service without TLS", async () => {
    const { exchange } = fakeExchange(gate(new Set(), 'Bearer realm="http://auth.example/token"'));
    const credentials = { kind: "password", username: "me", password: "pw" } as const;
    const fault = await faultOf(new RegistryTransport({ exchange, credentials }).resolve(reference));
    expect(fault.message).toContain("without TLS");
  });

  test("does not wait for a login that does not come when it is interrupted", async () => {
    const { exchange } = fakeExchange(gate(new Set(), 'Basic realm="r"'));
    const controller = new AbortController();
    const findCredentials = () => {
      controller.abort(new Error("enough"));
      return new Promise<undefined>(() => {});
    };
    const authorizer = new Authorizer({ findCredentials, fetchToken: () => Promise.reject(new Error("not asked")) });
    const client = new RegistryClient({ base: new URL("https://registry.example"), exchange, authorizer });
    const api = { method: "GET", path: "a/tags/list", op: "list", subject: "a", scope: "" } as const;
    await expect(client.attempt(api, { signal: controller.signal })).rejects.toThrow("enough");
  });

  test("ends when refused again and again", async () => {
    const tokens: Handler = ({ url }) => (url.host === "auth.example" ? Response.json({ token: "bad" }) : undefined);
    const { transport, seen } = transportOf(tokens, gate(new Set(), bearer));
    expect((await faultOf(transport.resolve(reference))).code).toBe("unauthenticated");
    expect(seen.length).toBeLessThan(10);
  });
});
