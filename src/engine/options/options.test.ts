import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { splitCsv } from "./csv.ts";
import { parseDevice, parseExpose, parseMount, parsePublish, parseTmpfs, parseVolume } from "./parsers.ts";
import { parseByteSize } from "./size.ts";

describe("-v", () => {
  test.each([
    ["/a", { type: "volume", target: "/a" }],
    ["/a//b/", { type: "volume", target: "/a/b" }],
    ["data:/a", { type: "volume", source: "data", target: "/a" }],
    ["data:/a:nocopy,ro", { type: "volume", source: "data", target: "/a", noCopy: true, readonly: true }],
    ["/a:/b", { type: "bind", source: "/a", target: "/b", createSource: true }],
    [
      "/a:/b:ro,z,rslave",
      { type: "bind", source: "/a", target: "/b", createSource: true, readonly: true, propagation: "rslave" },
    ],
    ["/a:/b:bind", { type: "bind", source: "/a", target: "/b", createSource: true, nonRecursive: true }],
    [".:/b", { type: "bind", source: resolve("."), target: "/b", createSource: true }],
    ["../x:/b", { type: "bind", source: resolve("../x"), target: "/b", createSource: true }],
  ])("%s", (text, mount) => expect(parseVolume(text)).toEqual(mount as ReturnType<typeof parseVolume>));

  test.each([
    ["relative/x:/y", 'create relative/x: "relative/x" includes invalid characters for a local volume name'],
    ["/a:/b:bogus", "invalid mode: bogus"],
    ["/a:/b:ro,rw", "invalid mode: ro,rw"],
    ["/a:/b:z,Z", "invalid mode: z,Z"],
    ["/a:/b:private,shared", "invalid mode: private,shared"],
    [
      "/a:b",
      `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
    ],
    ["a:b:c:d", "invalid volume specification: 'a:b:c:d'"],
    [":", "invalid volume specification: ':'"],
    ["/a:ro", "invalid volume specification: '/a:ro'"],
    ["data:/", "destination can't be '/'"],
    ["data:/x/..", "destination can't be '/'"],
    ["data:/x:rslave", 'invalid mount config for type "volume": field BindOptions must not be specified'],
    ["/a:/b:nocopy", 'invalid mount config for type "bind": field VolumeOptions must not be specified'],
    ["", "mount path must be absolute"],
  ])("%s is refused", (text, message) => expect(() => parseVolume(text)).toThrow(message));
});

describe("--mount", () => {
  test.each([
    ["dst=/a", { type: "volume", target: "/a" }],
    ["type=volume,src=data,target=/a,volume-nocopy", { type: "volume", source: "data", target: "/a", noCopy: true }],
    ["src=data,dst=/a,volume-subpath=x/y", { type: "volume", source: "data", target: "/a", subpath: "x/y" }],
    [
      "dst=/a,volume-label=k=v,volume-label=l,volume-driver=local",
      { type: "volume", target: "/a", labels: { k: "v", l: "" } },
    ],
    ["type=bind,source=/a,destination=/b,readonly", { type: "bind", source: "/a", target: "/b", readonly: true }],
    ["type=bind,src=/a,dst=/b,ro=false", { type: "bind", source: "/a", target: "/b", readonly: false }],
    ['type=bind,"src=/a,b",dst=/c', { type: "bind", source: "/a,b", target: "/c" }],
    ["type=bind,src=./a,dst=/c", { type: "bind", source: resolve("a"), target: "/c" }],
    [
      "type=bind,src=/a,dst=/b,bind-recursive=disabled",
      { type: "bind", source: "/a", target: "/b", nonRecursive: true },
    ],
    [
      "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rprivate",
      {
        type: "bind",
        source: "/a",
        target: "/b",
        readonly: true,
        readonlyRecursive: "readonly",
        propagation: "rprivate",
      },
    ],
    ["type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770", { type: "tmpfs", target: "/t", size: 1 << 20, mode: 0o1770 }],
  ])("%s", (text, mount) => expect(parseMount(text)).toEqual(mount as ReturnType<typeof parseMount>));

  test.each([
    ["", "value is empty"],
    ["type=bind,src=/tmp", "target is required"],
    ["type=,dst=/x", "type is required"],
    ["type=foo,dst=/b", 'invalid mount config for type "foo": mount type unknown'],
    ["type=bind,dst=/b", 'invalid mount config for type "bind": field Source must not be empty'],
    ["type=bind,src=rel,dst=/b", "invalid mount path: 'rel' mount path must be absolute"],
    ["type=bind,src=/tmp,dst=x", "invalid mount path: 'x' mount path must be absolute"],
    ["type=tmpfs,src=a,dst=/x", 'invalid mount config for type "tmpfs": field Source must not be specified'],
    ["dst=/x,bogus=1", "unexpected key 'bogus' in 'bogus=1'"],
    ["dst=/x,bogus", "invalid field 'bogus' must be a key=value pair"],
    ["dst", "invalid field 'dst' must be a key=value pair"],
    ["dst=/x,readonly=maybe", "invalid value for readonly: maybe"],
    ["type=tmpfs,dst=/x,tmpfs-size=abc", "invalid value for tmpfs-size: abc"],
    ["type=tmpfs,dst=/x,tmpfs-mode=9", "invalid value for tmpfs-mode: 9"],
    ["type=volume,dst=/x,bind-propagation=rslave", "cannot mix 'bind-*' options with mount type 'volume'"],
    ["type=bind,src=/tmp,dst=/x,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"],
    ["type=bind,src=/tmp,dst=/x,bind-propagation=xx", "invalid propagation mode: xx"],
    ["type=bind,src=/tmp,dst=/x,bind-recursive=foo", 'invalid value for bind-recursive: foo (must be "enabled"'],
    [
      "type=bind,src=/tmp,dst=/x,bind-recursive=readonly",
      "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
    ],
    ["src=x,dst=/y", "volume name is too short"],
    ["dst=/x,volume-subpath=../y", "it must be a relative path inside the volume"],
    ["dst=/x,volume-driver=nfs", "no volume driver named 'nfs'"],
  ])("%s is refused", (text, message) => expect(() => parseMount(text)).toThrow(message));
});

test("values separated by commas may be quoted", () => {
  expect(splitCsv('a,"b,""c""",,d')).toEqual(["a", 'b,"c"', "", "d"]);
  expect(() => splitCsv('a,b"c"')).toThrow("a quote in the middle of a field");
  expect(() => splitCsv('"a')).toThrow("a quoted field without its end");
  expect(() => splitCsv('"a"b')).toThrow("a quoted field without its end");
});

describe("--tmpfs", () => {
  test("takes the options of a tmpfs", () => {
    expect(parseTmpfs("/t")).toEqual({ type: "tmpfs", target: "/t" });
    expect(parseTmpfs("/t:rw,size=64m,mode=1777")).toEqual({
      type: "tmpfs",
      target: "/t",
      options: ["rw", "size=64m", "mode=1777"],
    });
  });

  test.each([
    ["rel", "invalid mount path: 'rel' mount path must be absolute"],
    ["/", "destination can't be '/'"],
    ["/x:bogus", 'invalid tmpfs option "bogus"'],
    ["/x:size=zz", 'invalid tmpfs option "size=zz"'],
    ["/x:toString=1", 'invalid tmpfs option "toString=1"'],
  ])("%s is refused", (text, message) => expect(() => parseTmpfs(text)).toThrow(message));
});

describe("--device", () => {
  const device = (hostPath: string, containerPath: string, access: string) => ({ hostPath, containerPath, access });
  test.each([
    ["/dev/a", device("/dev/a", "/dev/a", "rwm")],
    ["/dev/a:/dev/b", device("/dev/a", "/dev/b", "rwm")],
    ["/dev/a:r", device("/dev/a", "/dev/a", "r")],
    ["/dev/a:/dev/b:wm", device("/dev/a", "/dev/b", "wm")],
  ])("%s", (text, expected) => expect(parseDevice(text)).toEqual(expected));

  test.each([
    ["foo", "foo is not an absolute path"],
    ["/dev/a:/x:q", "bad mode specified: q"],
    ["/dev/a:/x:rr", "bad mode specified: rr"],
    ["/dev/a:x", "x is not an absolute path"],
    ["/a:/b:r:w", "bad format for path: /a:/b:r:w"],
  ])("%s is refused", (text, message) => expect(() => parseDevice(text)).toThrow(message));
});

describe("-p", () => {
  const tcp = (containerPort: number, rest: object = {}) => ({ containerPort, protocol: "tcp" as const, ...rest });
  test.each([
    ["80", [tcp(80)]],
    [":80", [tcp(80)]],
    ["8080:80", [tcp(80, { hostPort: 8080 })]],
    ["0:80", [tcp(80, { hostPort: 0 })]],
    ["127.0.0.1:8080:80", [tcp(80, { hostPort: 8080, hostAddress: "127.0.0.1" })]],
    ["127.0.0.1::80", [tcp(80, { hostAddress: "127.0.0.1" })]],
    ["[::1]:8080:80", [tcp(80, { hostPort: 8080, hostAddress: "::1" })]],
    ["53:53/UDP", [{ containerPort: 53, protocol: "udp", hostPort: 53 }]],
    ["8000-8001:80-81", [tcp(80, { hostPort: 8000 }), tcp(81, { hostPort: 8001 })]],
    ["80-81", [tcp(80), tcp(81)]],
    ["published=8080,target=80,protocol=sctp", [{ containerPort: 80, protocol: "sctp", hostPort: 8080 }]],
    ["target=80", [tcp(80)]],
  ])("%s", (text, ports) => expect(parsePublish(text)).toEqual(ports as ReturnType<typeof parsePublish>));

  test.each([
    ["abc", "Invalid containerPort: abc"],
    ["0", "Invalid containerPort: 0"],
    ["99999:80", "Invalid hostPort: 99999"],
    ["80:80:80:80", "Invalid ip address: 80:80"],
    ["1.2.3:80:80", "Invalid ip address: 1.2.3"],
    ["::1:80:80", "put it in brackets"],
    ["80/foo", "Invalid proto: foo"],
    ["80:", "No port specified: 80:<empty>"],
    ["10-8:1-3", "Invalid hostPort: 10-8"],
    ["1-3:5-6", "Invalid ranges specified for container and host Ports: 5-6 and 1-3"],
    ["80-81:80", "a range of host ports (80-81) for one container port (80) is not supported"],
    ["target=80,foo=1", "invalid publish option 'foo'"],
  ])("%s is refused", (text, message) => {
    const failure = () => parsePublish(text);
    expect(failure).toThrow(expect.objectContaining({ name: "GalleyError" }));
    try {
      failure();
    } catch (error) {
      expect((error as { describe(): string }).describe()).toContain(message);
    }
  });
});

describe("--expose", () => {
  test("names ports and ranges", () => {
    expect(parseExpose("80")).toEqual(["80/tcp"]);
    expect(parseExpose("80-82/udp")).toEqual(["80/udp", "81/udp", "82/udp"]);
  });

  test.each([
    ["abc", "invalid range format for --expose: abc"],
    ["9-8", "invalid range format for --expose: 9-8"],
    ["80/foo", "Invalid proto: foo"],
    ["1:2", "invalid port format for --expose: 1:2"],
  ])("%s is refused", (text, message) => expect(() => parseExpose(text)).toThrow(message));
});

test("sizes are binary multiples", () => {
  expect(["1024", "1k", "1.5m", "2GiB", "10 MB", ".5k"].map(parseByteSize)).toEqual([
    1024,
    1024,
    1572864,
    2 ** 31,
    10485760,
    512,
  ]);
  for (const text of ["", "-1", "1x", "1 2", "9e9", "99999999p"]) expect(() => parseByteSize(text)).toThrow(/size/);
});
