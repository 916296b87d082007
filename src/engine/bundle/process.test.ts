import { expect, test } from "bun:test";
import { DEFAULT_PATH, mergeEnvironment, processEnvironment } from "./environment.ts";
import { inheritImage, publishedPorts } from "./inherit.ts";
import { resolveProcess } from "./process.ts";

const image = {
  Entrypoint: ["/entry", "-x"],
  Cmd: ["a", "b"],
  Env: ["PATH=/bin", "A=1"],
  WorkingDir: "/w/",
  User: "u",
};
const command = (spec: object, from: object = image) => {
  const { path, args } = resolveProcess({ image: "i", ...spec }, from);
  return [path, ...args];
};

test("commands and entry points merge as docker merges them", () => {
  expect(command({})).toEqual(["/entry", "-x", "a", "b"]);
  expect(command({ command: ["c"] })).toEqual(["/entry", "-x", "c"]);
  expect(command({ entrypoint: ["/e"] })).toEqual(["/e"]);
  expect(command({ entrypoint: ["/e"], command: ["c"] })).toEqual(["/e", "c"]);
  expect(command({ entrypoint: [], command: ["c", "d"] })).toEqual(["c", "d"]);
  expect(command({}, { Cmd: ["sh"] })).toEqual(["sh"]);
  expect(() => command({}, {})).toThrow("no command specified");
  expect(() => command({ entrypoint: [] })).toThrow("no command specified");
});

test("the user's words replace the image's", () => {
  const process = resolveProcess(
    { image: "i", env: ["A=2", "B=3"], workingDir: "/x", user: "v", stopSignal: "USR1" },
    image,
  );
  expect(process).toMatchObject({ workingDir: "/x", user: "v", stopSignal: "USR1", volumes: [] });
  expect(process.env).toEqual(["PATH=/bin", "A=2", "B=3"]);
  expect(resolveProcess({ image: "i" }, image)).toMatchObject({ workingDir: "/w", user: "u", stopSignal: "" });
});

test("a path is always there", () => {
  expect(resolveProcess({ image: "i", command: ["x"], env: ["A="] }).env).toEqual(["A=", `PATH=${DEFAULT_PATH}`]);
});

test("the working directory is the shortest path that means the same", () => {
  const cleaned = ["/", "//", "/a/", "/a/../b", "/./a//.b/."].map(
    (workingDir) => resolveProcess({ image: "i", command: ["x"], workingDir }).workingDir,
  );
  expect(cleaned).toEqual(["/", "/", "/a", "/b", "/a/.b"]);
});

test("what cannot be is refused", () => {
  expect(() => resolveProcess({ image: "i", command: ["x"], workingDir: "rel" })).toThrow(
    "the working directory 'rel' is invalid, it needs to be an absolute path",
  );
  expect(() => resolveProcess({ image: "i", command: ["x"], stopSignal: "FOO" })).toThrow("invalid signal: FOO");
});

test("environments keep their order, each name once", () => {
  expect(mergeEnvironment(["A=1", "B=2"], ["B=3", "C=4", "A"])).toEqual(["B=3", "C=4"]);
});

test("docker's own variables give way", () => {
  const facts = { hostname: "h", terminal: true, home: "/root" };
  expect(processEnvironment(["PATH=/bin", "X=1"], facts)).toEqual([
    "PATH=/bin",
    "HOSTNAME=h",
    "TERM=xterm",
    "X=1",
    "HOME=/root",
  ]);
  expect(processEnvironment(["TERM=foo", "HOME="], { ...facts, terminal: false })).toEqual([
    `PATH=${DEFAULT_PATH}`,
    "HOSTNAME=h",
    "TERM=foo",
    "HOME=",
  ]);
});

test("labels and exposed ports are inherited, and all of them can be published", () => {
  const image = { Labels: { a: "1", b: "2" }, ExposedPorts: { "80/tcp": {}, "90-91": {}, nonsense: {} } };
  const spec = inheritImage(
    {
      image: "i",
      labels: { b: "3" },
      exposed: ["53/udp"],
      ports: [{ containerPort: 80, protocol: "tcp", hostPort: 8080 }],
    },
    image,
  );
  expect(spec).toMatchObject({ labels: { a: "1", b: "3" }, exposed: ["80/tcp", "90/tcp", "91/tcp", "53/udp"] });
  expect(publishedPorts(spec)).toEqual(spec.ports!);
  expect(publishedPorts({ ...spec, publishAll: true })).toEqual([
    { containerPort: 80, protocol: "tcp", hostPort: 8080 },
    { containerPort: 90, protocol: "tcp" },
    { containerPort: 91, protocol: "tcp" },
    { containerPort: 53, protocol: "udp" },
  ]);
});
