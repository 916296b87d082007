import { expect, test } from "bun:test";
import { readable } from "./donors.ts";

const layer = (digest: string, tables: number, documents: number) => {
  const place = (size: number) => ({ offset: 0, length: 0, size });
  const places = { table: place(tables << 20), split: place(documents << 20), checksum: "", tail: 0 };
  return { blob: { mediaType: "", digest, size: 0 }, places };
};
const digests = (...layers: readonly ReturnType<typeof layer>[]) => readable(layers).map(({ blob }) => blob.digest);

test("of layers of the store as many are read as have tables and documents of bearable size", () => {
  expect(digests(layer("a", 10, 100), layer("a", 10, 100), layer("b", 10, 100))).toEqual(["a", "b"]);
  expect(digests(layer("a", 30, 1), layer("b", 10, 1), layer("c", 1, 1))).toEqual(["a", "c"]);
  expect(digests(layer("a", 1, 256), layer("b", 1, 256), layer("c", 1, 256))).toEqual(["a", "b"]);
});
