/** Docker daemons and registries that answer what cannot be: each answer is refused, and nothing of it stays in the store. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage } from "../harness/image-builder.ts";
import { file, tar } from "../harness/tar.ts";
import { type FakeDaemon, refusalOf, startFakeDaemon } from "./refusals.ts";
import { openTestImages, type TestImages } from "./test-images.ts";

setDefaultTimeout(60_000);

let base: string;
let store: TestImages;
let daemon: FakeDaemon;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "galley-answers-"));
  store = openTestImages(join(base, "store"));
  daemon = startFakeDaemon(join(base, "docker.sock"));
});
afterAll(async () => {
  await daemon.stop();
  store.database.close();
  rmSync(base, { recursive: true, force: true });
});

const refusal = (from: string, daemonHost = daemon.host) => refusalOf(store, from, { tag: "bad:1", daemonHost });

describe("a Docker daemon that lies", () => {
  const archive = tar([file("manifest.json", "[]")]);
  const rows: readonly (readonly [string, () => Response, string])[] = [
    ["sends a page instead of an archive", () => new Response("<html>Welcome</html>".repeat(100)), "checksum"],
    ["sends nothing", () => new Response(""), "no manifest.json"],
    ["sends an archive of no image", () => new Response(archive), "holds no image"],
    ["sends a part of an archive", () => new Response(archive.subarray(0, 700)), "cut short"],
    [
      "says that there is no such image",
      () => Response.json({ message: "No such image: a:1" }, { status: 404 }),
      "No such image: a:1",
    ],
    ["fails without a word", () => new Response("<html>", { status: 500 }), "the daemon answered 500"],
    ["sends an error without end", () => new Response(endless(), { status: 500 }), "larger than"],
  ];
  for (const [name, answer, message] of rows) {
    test(name, async () => {
      daemon.answers(answer);
      expect(await refusal("docker-daemon:a:1")).toContain(message);
      expect(store.remains()).toEqual([]);
    });
  }
  test("breaks the connection in the middle", async () => {
    using listener = Bun.listen({
      unix: join(base, "broken.sock"),
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nabc");
          socket.end();
        },
      },
    });
    expect(listener.unix).toEndWith("broken.sock");
    const told = await refusal("docker-daemon:a:1", `unix://${join(base, "broken.sock")}`);
    expect(told).not.toBe("it was accepted");
    expect(store.remains()).toEqual([]);
  });
});

function endless(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 16).fill(0x41)) });
}

describe("a registry that leads nowhere", () => {
  const image = buildImage({ layers: [{ entries: [file("a", "a")] }] });
  const serve = (answer: (path: string, url: string) => Response | undefined) =>
    Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const { pathname, origin } = new URL(request.url);
        if (pathname === "/v2/") return Response.json({});
        const found = [image, ...image.blobs].find(({ descriptor }) => pathname.endsWith(descriptor.digest));
        const made = answer(pathname, origin);
        if (made !== undefined) return made;
        if (pathname.includes("/manifests/")) {
          const headers = {
            "content-type": image.descriptor.mediaType,
            "docker-content-digest": image.descriptor.digest,
          };
          return new Response(new Uint8Array(image.bytes), { headers });
        }
        return found === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(found.bytes));
      },
    });
  const redirect = (location: string) => new Response(null, { status: 307, headers: { location } });
  const rows: readonly (readonly [string, (path: string, url: string) => Response | undefined])[] = [
    ["a manifest that leads to itself", (path) => (path.includes("/manifests/") ? redirect(path) : undefined)],
    [
      "blobs that lead on and on",
      (path, url) => (/\/blobs\/|\/on\//.test(path) ? redirect(`${url}/on/${crypto.randomUUID()}`) : undefined),
    ],
  ];
  for (const [name, answer] of rows) {
    test(name, async () => {
      const server = serve(answer);
      try {
        expect(await refusal(`docker://127.0.0.1:${server.port}/a:1`)).toContain(
          "a redirect is not followed: there are more than 10",
        );
        expect(store.remains()).toEqual([]);
      } finally {
        await server.stop(true);
      }
    });
  }
});
