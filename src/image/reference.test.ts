import { describe, expect, test } from "bun:test";
import { GalleyError } from "../errors.ts";
import {
  canonicalName,
  familiarName,
  familiarRepository,
  parseAnyReference,
  parseReference,
  repositoryOf,
  withDefaultTag,
} from "./reference.ts";

const digest = `sha256:${"7c".repeat(32)}`;

describe("a name is normalised as docker does", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["busybox", "docker.io/library/busybox", "busybox"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["library/busybox", "docker.io/library/busybox", "busybox"],
    ["team/app", "docker.io/team/app", "team/app"],
    ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
    ["index.docker.io/busybox:1", "docker.io/library/busybox:1", "busybox:1"],
    ["docker.io/library/distros/ubuntu", "docker.io/library/distros/ubuntu", "library/distros/ubuntu"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"],
    ["localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"],
    ["127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c"],
    ["[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"],
    ["[2001:db8::1]/app:x", "[2001:db8::1]/app:x", "[2001:db8::1]/app:x"],
    ["registry.example/app", "registry.example/app", "registry.example/app"],
    ["Uppercase/app", "Uppercase/app", "Uppercase/app"],
    ["xn--n3h.com/myimage", "xn--n3h.com/myimage", "xn--n3h.com/myimage"],
    ["a__b/c--d.e_f", "docker.io/a__b/c--d.e_f", "a__b/c--d.e_f"],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`, `busybox@${digest}`],
    [`host:1/a:tag@${digest}`, `host:1/a:tag@${digest}`, `host:1/a:tag@${digest}`],
    ["app:A_b.C-9", "docker.io/library/app:A_b.C-9", "app:A_b.C-9"],
    [`app:${"t".repeat(128)}`, `docker.io/library/app:${"t".repeat(128)}`, `app:${"t".repeat(128)}`],
    [`host.x/${"p".repeat(255)}`, `host.x/${"p".repeat(255)}`, `host.x/${"p".repeat(255)}`],
  ];
  for (const [text, canonical, familiar] of rows) {
    test(text.slice(0, 60), () => {
      const reference = parseReference(text);
      expect(canonicalName(reference)).toBe(canonical);
      expect(familiarName(reference)).toBe(familiar);
      expect(parseReference(canonical)).toEqual(reference);
    });
  }
});

describe("a malformed name is refused with the fault named", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["", "at least one component"],
    ["Busybox", "repository name (library/Busybox) must be lowercase"],
    ["host:5000/Team/app", "repository name (Team/app) must be lowercase"],
    [`${"ab".repeat(32)}`, "cannot specify 64-byte hexadecimal strings"],
    ["busybox:", "invalid reference format"],
    [":tag", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["a/b/", "invalid reference format"],
    ["-app", "invalid reference format"],
    ["app_", "invalid reference format"],
    ["a___b/c", "invalid reference format"],
    ["a..b", "invalid reference format"],
    ["app:.tag", "invalid reference format"],
    [`app:${"t".repeat(129)}`, "invalid reference format"],
    ["app name", "invalid reference format"],
    ["app\n", "invalid reference format"],
    ["https://host/app", "invalid reference format"],
    ["host:port/app", "invalid reference format"],
    ["[::1/app", "invalid reference format"],
    ["app@sha256:abc", "invalid reference format"],
    [`app@sha256:${"a".repeat(63)}`, "invalid checksum digest length"],
    [`app@sha256:${"A".repeat(64)}`, "invalid checksum digest format"],
    [`app@md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
    [`host.x/${"p".repeat(256)}`, "must not be more than 255 characters"],
  ];
  for (const [text, fault] of rows) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      expect(() => parseReference(text)).toThrow(GalleyError);
      expect(() => parseReference(text)).toThrow(fault);
    });
  }
});

test("latest is added only where there is neither tag nor digest", () => {
  expect(withDefaultTag(parseReference("a/b")).tag).toBe("latest");
  expect(withDefaultTag(parseReference("a/b:c")).tag).toBe("c");
  expect(withDefaultTag(parseReference(`a/b@${digest}`)).tag).toBeUndefined();
});

test("repositories have a long and a familiar name", () => {
  const reference = parseReference("busybox:1");
  expect(repositoryOf(reference)).toBe("docker.io/library/busybox");
  expect(familiarRepository(reference)).toBe("busybox");
});

test("whole IDs are told from names", () => {
  expect(parseAnyReference("ab".repeat(32))).toEqual({ id: `sha256:${"ab".repeat(32)}` });
  expect(parseAnyReference(digest)).toEqual({ id: digest });
  expect(parseAnyReference("abcdef")).toEqual({ reference: parseReference("abcdef") });
});
