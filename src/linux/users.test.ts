import { expect, test } from "bun:test";
import { parseGroup, parsePasswd, resolveGroups, resolveUser } from "./users.ts";

const files = {
  passwd: `# comment
root:x:0:0:root:/root:/bin/sh

  daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
web:x:33:34:Web:/srv/www:/bin/false
second:x:33:99::/other:
1000:x:7:7::/seven:
broken:x:abc
nohome:x:50:50:::
`,
  group: "root:x:0:\nwheel:x:10:root,web\nwww:x:34:\nstaff:x:50:web,daemon\nwww:x:77:\n",
};

test("passwd and group lines are read leniently", () => {
  expect(parsePasswd(files.passwd)).toHaveLength(7);
  expect(parsePasswd("broken:x:abc\n")).toEqual([{ name: "broken", uid: 0, gid: 0, home: "", shell: "" }]);
  expect(parseGroup("a:x:5:b,c\n")).toEqual([{ name: "a", gid: 5, members: ["b", "c"] }]);
  expect(parseGroup("a\n")).toEqual([{ name: "a", gid: 0, members: [] }]);
});

test.each([
  ["", { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root" }],
  ["root", { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root" }],
  ["web", { uid: 33, gid: 34, additionalGids: [34, 10, 50], home: "/srv/www" }],
  ["33", { uid: 33, gid: 34, additionalGids: [34, 10, 50], home: "/srv/www" }],
  ["web:www", { uid: 33, gid: 34, additionalGids: [34], home: "/srv/www" }],
  ["web:500", { uid: 33, gid: 500, additionalGids: [500], home: "/srv/www" }],
  ["500:staff", { uid: 500, gid: 50, additionalGids: [50], home: "/" }],
  ["500", { uid: 500, gid: 0, additionalGids: [0], home: "/" }],
  ["500:600", { uid: 500, gid: 600, additionalGids: [600], home: "/" }],
  [":staff", { uid: 0, gid: 50, additionalGids: [50], home: "/root" }],
  ["web:", { uid: 33, gid: 34, additionalGids: [34, 10, 50], home: "/srv/www" }],
  ["1000", { uid: 1000, gid: 0, additionalGids: [0], home: "/" }],
  ["nohome", { uid: 50, gid: 50, additionalGids: [50], home: "/" }],
])("USER %p", (spec, user) => {
  expect(resolveUser(spec, files)).toEqual(user);
});

test("without files only numbers are users", () => {
  expect(resolveUser("", {})).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/" });
  expect(resolveUser("5:6", {})).toEqual({ uid: 5, gid: 6, additionalGids: [6], home: "/" });
  expect(() => resolveUser("root", {})).toThrow("unable to find user root: no matching entries in passwd file");
});

test.each([
  ["ghost", "unable to find user ghost: no matching entries in passwd file"],
  ["root:ghosts", "unable to find group ghosts: no matching entries in group file"],
  ["-1", "uids and gids must be in range 0-2147483647"],
  ["2147483648", "uids and gids must be in range"],
  ["0:99999999999999999999", "uids and gids must be in range"],
  ["root:a:b", "unable to find group a:b"],
])("USER %p is refused", (spec, message) => {
  expect(() => resolveUser(spec, files)).toThrow(message);
});

test("additional groups are looked up by name, numbers taken as they are", () => {
  expect(resolveGroups(["staff", "50", "4242", "www"], files)).toEqual([50, 4242, 34]);
  expect(() => resolveGroups(["nope"], files)).toThrow("unable to find group nope: no matching entries in group file");
});
