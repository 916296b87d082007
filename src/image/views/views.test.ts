import { describe, expect, test } from "bun:test";
import type { ImageRecord } from "../types.ts";
import { filterImages } from "./filters.ts";
import { historyOf } from "./history.ts";
import { inspectImage } from "./inspect.ts";

function image(id: string, more: Partial<ImageRecord> = {}): ImageRecord {
  return {
    id: `sha256:${id}`,
    names: [`${id}:latest`],
    digests: [],
    manifest: { mediaType: "m", digest: "sha256:d", size: 1 },
    config: { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } },
    layers: ["sha256:1", "sha256:2"],
    size: 7,
    createdAt: "2026-01-01T00:00:00Z",
    taggedAt: "2026-02-01T00:00:00Z",
    ...more,
  };
}

describe("filters", () => {
  const labelled = (Labels: Record<string, string>) => ({ ...image("x").config, config: { Labels } });
  const all = [
    image("old", { createdAt: "2020-01-01T00:00:00Z", config: labelled({ stage: "test", team: "a" }) }),
    image("mid", { names: ["host:5000/team/mid:1.2"], config: labelled({ stage: "prod" }) }),
    image("young", { names: [], digests: ["app@sha256:aa"], createdAt: new Date().toISOString() }),
  ];
  const facts = {
    of: (reference: string) => all.find(({ id }) => id.endsWith(reference))!,
    isUsed: (id: string) => id === "sha256:mid",
  };
  const rows: readonly (readonly [Record<string, readonly string[]>, readonly string[]])[] = [
    [{}, ["old", "mid", "young"]],
    [{ dangling: ["true"] }, ["young"]],
    [{ dangling: ["false"] }, ["old", "mid"]],
    [{ label: ["stage"] }, ["old", "mid"]],
    [{ label: ["stage=test", "team=a"] }, ["old"]],
    [{ label: ["stage=test", "team=b"] }, []],
    [{ "label!": ["stage"] }, ["young"]],
    [{ before: ["mid"] }, ["old"]],
    [{ since: ["old"] }, ["mid", "young"]],
    [{ until: ["2025-01-01T00:00:00Z"] }, ["old"]],
    [{ until: ["24h"] }, ["old", "mid"]],
    [{ until: ["1577836801"] }, ["old"]],
    [{ reference: ["old"] }, ["old"]],
    [{ reference: ["o?d:la*"] }, ["old"]],
    [{ reference: ["*/team/m[ia]d"] }, ["mid"]],
    [{ reference: ["*:latest", "app"] }, ["old", "young"]],
    [{ reference: ["team/*"] }, []],
    [{ reference: ["*"], label: ["team"] }, ["old"]],
    [{ after: ["old"] }, ["mid", "young"]],
    [{ containers: ["true"] }, ["mid"]],
    [{ containers: ["false"] }, ["old", "young"]],
    [{ id: ["ol"] }, ["old"]],
    [{ id: ["sha256:y", "mid"] }, ["mid", "young"]],
    [{ digest: ["sha256:d"] }, ["old", "mid", "young"]],
    [{ digest: ["sha256:0"] }, []],
    [{ intermediate: ["true"] }, []],
    [{ readonly: ["false"] }, ["old", "mid", "young"]],
  ];
  for (const [filters, ids] of rows) {
    test(JSON.stringify(filters), () => {
      expect(filterImages(all, filters, facts).map(({ id }) => id.slice(7))).toEqual([...ids]);
    });
  }
  test("that are malformed are refused", () => {
    expect(() => filterImages(all, { colour: ["red"] }, facts)).toThrow("invalid filter 'colour'");
    expect(() => filterImages(all, { digest: ["d"] }, facts)).toThrow("invalid filter 'digest=d'");
    expect(() => filterImages(all, { dangling: ["maybe"] }, facts)).toThrow("invalid filter 'dangling=maybe'");
    expect(() => filterImages(all, { until: ["whenever"] }, facts)).toThrow("invalid filter 'until=whenever'");
  });
});

test("history is told newest first, with the sizes of the layers that steps made", () => {
  const history = [
    { created: "2026-01-01T00:00:00Z", created_by: "ADD rootfs" },
    { created: "2026-01-02T00:00:00Z", created_by: "CMD sh", empty_layer: true },
    { created_by: "COPY app", comment: "buildkit" },
  ];
  const rows = historyOf(image("x", { config: { ...image("x").config, history } }), [100, 20]);
  expect(rows.map(({ id, createdBy, size, tags }) => [id, createdBy, size, tags.length])).toEqual([
    ["sha256:x", "COPY app", 20, 1],
    ["<missing>", "CMD sh", 0, 0],
    ["<missing>", "ADD rootfs", 100, 0],
  ]);
  expect(historyOf(image("x"), [1])).toEqual([]);
});

test("inspect has docker's shape", () => {
  const config = { ...image("x").config, author: "me", config: { Cmd: ["sh"], ExposedPorts: { "80/tcp": {} } } };
  expect(inspectImage(image("x", { config }), { name: "overlay2", lower: ["/l/2", "/l/1"] })).toEqual({
    Id: "sha256:x",
    RepoTags: ["x:latest"],
    RepoDigests: [],
    Parent: "",
    Comment: "",
    Created: "2026-01-01T00:00:00Z",
    DockerVersion: "",
    Author: "me",
    Architecture: "amd64",
    Os: "linux",
    Size: 7,
    GraphDriver: { Data: { LowerDir: "/l/1", UpperDir: "/l/2" }, Name: "overlay2" },
    RootFS: { Type: "layers", Layers: ["sha256:1", "sha256:2"] },
    Metadata: { LastTagTime: "2026-02-01T00:00:00Z" },
    Descriptor: { mediaType: "m", digest: "sha256:d", size: 1 },
    Config: {
      Cmd: ["sh"],
      Entrypoint: null,
      Env: null,
      Labels: null,
      OnBuild: null,
      User: "",
      Volumes: null,
      WorkingDir: "",
      ExposedPorts: { "80/tcp": {} },
    },
  });
});
