import { expect, test } from "bun:test";
import { scpEnds } from "./scp-ends.ts";

const ssh = (name: string, ...words: readonly string[]) => ({ kind: "ssh", words, name });

test("sources and destinations as podman writes them", () => {
  const here = { kind: "here" };
  expect(scpEnds(["busybox", "host::"], "me")).toEqual({
    from: here,
    image: "busybox",
    to: ssh("host::".slice(0, -2), "--", "host"),
  } as never);
  expect(scpEnds(["busybox", "host"], "me").to).toEqual(ssh("host", "--", "host") as never);
  expect(scpEnds(["you@host:22/run/podman.sock::a/b:1"], "me")).toEqual({
    ...{ from: ssh("you@host:22/run/podman.sock", "-l", "you", "-p", "22", "--", "host"), image: "a/b:1", to: here },
  } as never);
  expect(scpEnds(["ssh://you@host:2222::b", "[::1]::"], "me")).toEqual({
    ...{ from: ssh("ssh://you@host:2222", "-l", "you", "-p", "2222", "--", "host"), image: "b" },
    to: ssh("[::1]", "--", "::1"),
  } as never);
  expect(scpEnds(["root@localhost::b", "me@localhost::"], "me")).toEqual({
    ...{ from: { kind: "user", user: "root" }, image: "b", to: here },
  } as never);
});

test.each([
  [["busybox"]],
  [["host::"]],
  [["busybox", "host::other"]],
  [["busybox", "-oProxyCommand=x::"]],
  [["-x@host::b"]],
  [["a b::c"]],
])("%j is refused", (args) => {
  expect(() => scpEnds(args, "me")).toThrow();
});
