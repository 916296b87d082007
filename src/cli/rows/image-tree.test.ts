import { expect, test } from "bun:test";
import type { ImageRecord } from "../../image/types.ts";
import { imageTree, type TreeLayer } from "./image-tree.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

function image(name: string, letters: string): ImageRecord {
  const layers = [...letters].map(digest);
  return {
    id: name,
    names: [name],
    digests: [],
    manifest: { mediaType: "", digest: "", size: 0 },
    config: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers } },
    layers,
    size: 0,
    createdAt: "",
    taggedAt: "",
  };
}

const all = [image("base", "a"), image("straight", "abc"), image("left", "abcd"), image("right", "abce")];
const layersOf = (id: string) =>
  (all.find((one) => one.id === id)?.layers ?? []).map((diffId) => ({ diffId, size: diffId.charCodeAt(7) }));

function shape(layers: readonly TreeLayer[]): unknown {
  return layers.map(({ size, topOf, children }) => [String.fromCharCode(size), topOf, shape(children)]);
}

test("an image's own layers, bottom first, each with the images that end with it", () => {
  const [, straight] = all;
  if (straight === undefined) throw new Error("unreachable");
  expect(shape(imageTree(straight, all, layersOf, false))).toEqual([
    ["a", ["base"], []],
    ["b", [], []],
    ["c", ["straight"], []],
  ]);
});

test("what requires an image: in a line until there are several", () => {
  const [base] = all;
  if (base === undefined) throw new Error("unreachable");
  expect(shape(imageTree(base, all, layersOf, true))).toEqual([
    ["a", ["base"], []],
    ["b", [], []],
    ["c", ["straight"], []],
    ["d", ["left"], []],
    ["e", ["right"], []],
  ]);
});
