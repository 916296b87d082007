import { describe, expect, test } from "bun:test";
import { directionOf, parseEnd } from "./ends.ts";
import { type CopyTarget, planCopy } from "./plan.ts";

const directory = { path: "/src/dir", directory: true, name: "dir" };
const file = { path: "/src/file", directory: false, name: "file" };
const there = (path: string, isDirectory: boolean): CopyTarget => ({ path, exists: true, directory: isDirectory });
const nothing = (path: string): CopyTarget => ({ path, exists: false, directory: false });

/** Where the plan puts the source itself and something in it. */
function places(...[source, target]: Parameters<typeof planCopy>): string[] {
  const { directory: into, rename } = planCopy(source, target);
  return [source.name, `${source.name}/a/b`].map((name) => `${into} ${rename(name)}`);
}

describe("cp", () => {
  test("into a directory keeps the name", () => {
    expect(places(file, there("/to", true))[0]).toBe("/to file");
    expect(places(directory, there("/to", true))).toEqual(["/to dir", "/to dir/a/b"]);
  });

  test("of a content leaves the directory itself out", () => {
    expect(places({ ...directory, path: "/src/dir/." }, there("/to", true))).toEqual(["/to ", "/to a/b"]);
    expect(places({ ...directory, path: "." }, there("/to", true))).toEqual(["/to ", "/to a/b"]);
  });

  test("to nothing takes the new name", () => {
    expect(places(file, nothing("/to/new"))[0]).toBe("/to new");
    expect(places(directory, nothing("/to/new/"))).toEqual(["/to new", "/to new/a/b"]);
    expect(places({ ...directory, path: "/src/dir/." }, nothing("new"))).toEqual([". new", ". new/a/b"]);
  });

  test("over a file takes its name", () => expect(places(file, there("/to/old", false))[0]).toBe("/to old"));

  test("through a link keeps the name it was called by", () => {
    expect(places({ ...file, path: "/src/link" }, there("/to", true))[0]).toBe("/to link");
  });

  test("refuses what cannot be", () => {
    expect(() => planCopy(directory, there("/to/file", false))).toThrow("cannot copy directory");
    expect(() => planCopy(file, nothing("/to/new/"))).toThrow("no such directory");
    expect(() => planCopy(file, there("/to/old/", false))).toThrow("not a directory");
    expect(() => planCopy({ ...file, path: "/src/file/" }, there("/to", true))).toThrow("not a directory");
  });
});

describe("an end", () => {
  test("is a container's where a name stands before a colon", () => {
    expect(parseEnd("box:/a:b")).toEqual({ kind: "container", container: "box", path: "/a:b" });
    for (const path of ["/a:b", "./a:b", "../a:b", "file"]) expect(parseEnd(path)).toEqual({ kind: "local", path });
    expect(parseEnd("-")).toEqual({ kind: "stream" });
  });

  test("must be a container's on one side only", () => {
    expect(directionOf("a:/x", "y").from.kind).toBe("container");
    expect(() => directionOf("a:/x", "b:/y")).toThrow("copying between containers is not supported");
    expect(() => directionOf("a", "b")).toThrow("must specify at least one container source");
    expect(() => directionOf("-", "b")).toThrow("must specify at least one container source");
    expect(() => directionOf("", "b:/x")).toThrow("source can not be empty");
  });
});
