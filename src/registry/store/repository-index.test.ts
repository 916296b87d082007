import { expect, test } from "bun:test";
import { decodeIndex, emptyIndex, encodeIndex, withManifest, withoutManifest, withoutTag } from "./repository-index.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const manifest = (letter: string, subject?: string) => ({
  digest: digest(letter),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  size: 2,
  ...(subject === undefined ? {} : { subject: digest(subject) }),
});

const full = [
  withManifest(manifest("a"), ["two", "one"]),
  withManifest(manifest("b"), []),
  withManifest(manifest("c", "a"), []),
].reduce((index, change) => change(index), emptyIndex);

test("an index is read as it was written", () => {
  expect(decodeIndex(encodeIndex(full))).toEqual(full);
  expect(decodeIndex(encodeIndex(emptyIndex))).toEqual(emptyIndex);
});

test("other programs find images by their tags", () => {
  const { manifests } = JSON.parse(encodeIndex(full)) as { manifests: { annotations?: Record<string, string> }[] };
  expect(manifests.map(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"])).toEqual([
    "one",
    "two",
    undefined,
    undefined,
  ]);
});

test("a tag moves to another manifest", () => {
  const moved = withManifest(manifest("b"), ["one"])(full);
  expect([...moved.tags]).toEqual([
    ["one", digest("b")],
    ["two", digest("a")],
  ]);
  expect(full.tags.get("one")).toBe(digest("a"));
});

test("tags go alone, manifests with their tags", () => {
  expect([...withoutTag("one")(full).tags.keys()]).toEqual(["two"]);
  const without = withoutManifest(digest("a"))(full);
  expect(without.tags.size).toBe(0);
  expect([...without.manifests.keys()]).toEqual([digest("b"), digest("c")]);
});

test("who is about whom is known, before and after the subject", () => {
  expect(full.referrers.get(digest("a"))).toEqual([digest("c")]);
  expect(withoutManifest(digest("a"))(full).referrers.get(digest("a"))).toEqual([digest("c")]);
  expect(withoutManifest(digest("c"))(full).referrers.size).toBe(0);
});
