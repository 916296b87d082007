import { describe, expect, test } from "bun:test";
import type { Container } from "../../engine/types.ts";
import type { ImageRecord } from "../../image/types.ts";
import { renderListing } from "../format/listing.ts";
import { containerHeadings, containerRow, containerTable } from "./container-row.ts";
import { describeStatus } from "./container-status.ts";
import { historyHeadings, historyRow, historyTable } from "./history-row.ts";
import { imageHeadings, imageNames, imageRow, imageTable, imageTableWithDigests } from "./image-row.ts";
import { ellipsis } from "./text.ts";

const now = Date.parse("2026-11-24T02:10:42Z");
const id = "5d7e3ec990cda5aa531a22cb8283f00c8afae3f055707cf9ab4f2dadd9fd874f";

function container(changes: Partial<Container> = {}): Container {
  return {
    id,
    name: "web",
    spec: { image: "busybox", labels: { x: "y", b: "c" }, exposed: ["70/tcp", "80/tcp"] },
    imageId: "sha256:edc3db76f5f95c8c54b0cc2dcc675ed058dcbca61ccdf8a76c6b453ea648b4c5",
    resolved: {
      path: "sh",
      args: ["-c", "exit 3"],
      env: [],
      workingDir: "/",
      user: "",
      stopSignal: "SIGTERM",
      volumes: [
        { name: "vol1", source: "/var/lib/x", target: "/data", type: "volume", readonly: false },
        { source: "/a/very/long/path/indeed", target: "/x", type: "bind", readonly: false },
      ],
    },
    created: "2026-11-24T02:07:40Z",
    state: "running",
    pid: 1,
    exitCode: 0,
    oomKilled: false,
    error: "",
    startedAt: "2026-11-24T02:07:41Z",
    finishedAt: "0001-01-01T00:00:00Z",
    restartCount: 0,
    unattended: false,
    network: {
      mode: "bridge",
      ports: [{ containerPort: 80, protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 8080 }],
    },
    logPath: "",
    ...changes,
  };
}

function ps(format: string, changes: Partial<Container> = {}, truncate = true): string {
  return renderListing({
    format,
    rows: [containerRow(container(changes), { truncate, now })],
    headings: containerHeadings,
  });
}

describe("ps", () => {
  test("the default table", () => {
    expect(ps(containerTable)).toBe(
      `CONTAINER ID   IMAGE     COMMAND            CREATED         STATUS         PORTS                          NAMES
5d7e3ec990cd   busybox   "sh -c 'exit 3'"   3 minutes ago   Up 3 minutes   70/tcp, 0.0.0.0:8080->80/tcp   web
`,
    );
  });

  test("fields", () => {
    expect(ps('{{.Labels}}|{{.Label "x"}}|{{.Label "z"}}|{{.Mounts}}|{{.LocalVolumes}}|{{.Networks}}|{{.Size}}')).toBe(
      "b=c,x=y|y||vol1,/a/very/long/p…|1|bridge|0B\n",
    );
    expect(ps("{{.ID}} {{.Mounts}}", {}, false)).toBe(`${id} vol1,/a/very/long/path/indeed\n`);
  });

  test("a container that ended has no ports", () => expect(ps("{{.Ports}}", { state: "exited" })).toBe("\n"));

  test("images by name, digest and ID", () => {
    const image = (name: string) => ps("{{.Image}}", { spec: { image: name } });
    expect(image(`busybox:1@sha256:${id}`)).toBe("busybox:1\n");
    expect(image("edc3db76f5f95c8c54b0cc2dcc675e")).toBe("edc3db76f5f9\n");
    expect(image("edc3")).toBe("edc3\n");
  });
});

describe("states", () => {
  const finishedAt = "2026-11-24T02:10:00Z";
  const cases: readonly (readonly [Partial<Container>, string])[] = [
    [{ state: "created" }, "Created"],
    [{ state: "paused" }, "Up 3 minutes (Paused)"],
    [{ unattended: true }, "Up 3 minutes (Unattended)"],
    [{ state: "exited", exitCode: 3, finishedAt }, "Exited (3) 42 seconds ago"],
    [{ state: "exited", exitCode: 255 }, "Exited (255)"],
    [{ state: "restarting", exitCode: 1, finishedAt }, "Restarting (1) 42 seconds ago"],
    [{ state: "removing" }, "Removal In Progress"],
    [{ state: "dead" }, "Dead"],
  ];
  for (const [changes, words] of cases) {
    test(words, () => expect(describeStatus(container(changes), now)).toBe(words));
  }
});

function image(changes: Partial<ImageRecord> = {}): ImageRecord {
  return {
    id: `sha256:${id}`,
    names: ["busybox:latest"],
    digests: [`busybox@sha256:${id}`],
    manifest: { mediaType: "", digest: "", size: 0 },
    config: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } },
    layers: [],
    size: 1982357,
    createdAt: "2026-11-24T01:45:32Z",
    taggedAt: "",
    ...changes,
  };
}

function images(format: string, records: readonly ImageRecord[], digests = false): string {
  const rows = imageNames(records, digests).map((name) => imageRow(name, { truncate: true, now }));
  return renderListing({ format, rows, headings: imageHeadings });
}

describe("images", () => {
  test("the default table", () => {
    expect(images(imageTable, [image(), image({ names: [], digests: [], createdAt: "0001-01-01T00:00:00Z" })])).toBe(
      `REPOSITORY   TAG       IMAGE ID       CREATED          SIZE
busybox      latest    5d7e3ec990cd   25 minutes ago   1.98MB
<none>       <none>    5d7e3ec990cd   N/A              1.98MB
`,
    );
  });

  test("digests stand beside their tags and alone", () => {
    const record = image({ names: ["a:5000/b:1", "a:5000/b:2"], digests: ["a:5000/b@sha256:1", "c@sha256:2"] });
    const format = "{{.Repository}} {{.Tag}} {{.Digest}}";
    expect(images(format, [record], true)).toBe("a:5000/b 1 sha256:1\na:5000/b 2 sha256:1\nc <none> sha256:2\n");
    expect(images(format, [record])).toBe("a:5000/b 1 <none>\na:5000/b 2 <none>\nc <none> sha256:2\n");
    expect(images(imageTableWithDigests, []).split(/\s{2,}|\n/)).toContain("DIGEST");
  });
});

test("history", () => {
  const row = {
    id: `sha256:${id}`,
    created: "2026-11-24T01:45:34Z",
    createdBy: "umoci\tconfig",
    size: 0,
    comment: "",
    tags: [],
  };
  const missing = {
    ...row,
    id: "<missing>",
    createdBy: "x".repeat(50),
    size: 1982357,
    created: "1970-01-01T00:00:00Z",
  };
  const rows = [row, missing].map((one) => historyRow(one, { truncate: true, human: true, now }));
  expect(renderListing({ format: historyTable, rows, headings: historyHeadings })).toBe(
    `IMAGE          CREATED          CREATED BY                                      SIZE      COMMENT
5d7e3ec990cd   25 minutes ago   umoci config                                    0B        
<missing>      N/A              ${"x".repeat(44)}…   1.98MB    
`,
  );
});

test("what is too wide is cut by columns", () => {
  expect(ellipsis("abcdef", 6)).toBe("abcdef");
  expect(ellipsis("abcdefg", 6)).toBe("abcde…");
  expect(ellipsis("日本語日本語", 6)).toBe("日本…");
});
