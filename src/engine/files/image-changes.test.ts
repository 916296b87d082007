import { expect, test } from "bun:test";
import { applyChanges } from "./image-changes.ts";
import { splitWords } from "./words.ts";

test("words end at white space outside of quotes", () => {
  expect(splitWords(`a "b c"d 'e "f' g\\ h "i\\"j" k\\\\`)).toEqual(["a", "b cd", 'e "f', "g h", 'i"j', "k\\"]);
  expect(splitWords("  ")).toEqual([]);
  expect(splitWords(`"open`)).toEqual(["open"]);
});

test("each instruction changes its part of the configuration", () => {
  const base = { Env: ["PATH=/bin", "A=1"], WorkingDir: "/w", Labels: { old: "1" }, Volumes: null };
  const lines = [
    'cmd ["x", "y z"]',
    "ENTRYPOINT echo $HOME",
    `ENV A=2 B="3 4"`,
    "ENV OLD form of it",
    `LABEL a=b "c d"=e`,
    "EXPOSE 80 53/udp",
    "ONBUILD RUN make all",
    "STOPSIGNAL SIGINT",
    "USER 1:2",
    'VOLUME ["/v one"]',
    "VOLUME /a /b",
    "WORKDIR sub",
  ];
  expect(applyChanges(base, lines)).toEqual({
    Env: ["PATH=/bin", "A=2", "B=3 4", "OLD=form of it"],
    WorkingDir: "/w/sub",
    Labels: { old: "1", a: "b", "c d": "e" },
    Volumes: { "/v one": {}, "/a": {}, "/b": {} },
    Cmd: ["x", "y z"],
    Entrypoint: ["/bin/sh", "-c", "echo $HOME"],
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    OnBuild: ["RUN make all"],
    StopSignal: "SIGINT",
    User: "1:2",
  });
  expect(base.Env).toEqual(["PATH=/bin", "A=1"]);
});

test("what is no instruction is refused", () => {
  expect(() => applyChanges({}, ["RUN x"])).toThrow("RUN is not a valid change command");
  expect(() => applyChanges({}, ["toString x"])).toThrow("toString is not a valid change command");
  expect(() => applyChanges({}, [" "])).toThrow("an empty line is not a valid change command");
  expect(() => applyChanges({}, ["USER"])).toThrow("USER requires at least one argument");
  expect(() => applyChanges({}, ["USER a b"])).toThrow("USER requires exactly one argument");
  expect(() => applyChanges({}, ["EXPOSE http"])).toThrow('"http" is no port');
  expect(() => applyChanges({}, ["ENV =x"])).toThrow("has no name and value");
});
