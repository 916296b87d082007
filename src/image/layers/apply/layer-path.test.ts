import { expect, test } from "bun:test";
import type { TarEntry } from "../tar/entry.ts";
import { layerPath } from "./layer-path.ts";

const entry = { name: "x", offset: 512 } as TarEntry;

test("a name is divided into directory and name, however it is written", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["etc/ssl/certs", "etc/ssl", "certs"],
    ["etc/", "", "etc"],
    ["etc", "", "etc"],
    ["/etc/motd", "etc", "motd"],
    ["./etc//ssl/./certs/", "etc/ssl", "certs"],
    ["a/../b/c", "b", "c"],
    ["a/b/..", "", "a"],
    ["a//", "", "a"],
    ["...", "", "..."],
    ["a/..b/.c", "a/..b", ".c"],
    ["", "", ""],
    ["/", "", ""],
    [".", "", ""],
    ["./", "", ""],
    ["a/..", "", ""],
  ];
  for (const [name, parent, last] of rows) {
    expect([name, layerPath(name, entry)]).toEqual([name, { parent, name: last }]);
  }
});

test("a name that leads out of the layer, or is too long, is refused", () => {
  for (const name of ["..", "../x", "a/../../x", "/..", "a/../.."]) {
    expect(() => layerPath(name, entry)).toThrow("leads out of the layer");
  }
  expect(() => layerPath("x/".repeat(2500), entry)).toThrow("too long");
});
