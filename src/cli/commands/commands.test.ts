import { describe, expect, test } from "bun:test";
import type { Container, Containers } from "../../engine/types.ts";
import { GalleyError } from "../../errors.ts";
import type { ManifestLists } from "../../image/lists/manifest-lists.ts";
import type { ImageRecord, Images } from "../../image/types.ts";
import type { Cli, CliEngine, Volumes } from "../cli.ts";
import { findCommand } from "../find-command.ts";
import { parseFlags } from "../flags/parse.ts";
import { reportFailure } from "../report.ts";

const id = "5d7e3ec990cda5aa531a22cb8283f00c8afae3f055707cf9ab4f2dadd9fd874f";

const web: Container = {
  id,
  name: "web",
  spec: { image: "busybox", openStdin: true },
  imageId: `sha256:${id}`,
  resolved: { path: "sh", args: [], env: [], workingDir: "/", user: "", stopSignal: "SIGTERM", volumes: [] },
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
    ports: [
      { containerPort: 9000, protocol: "tcp", hostAddress: "::", hostPort: 9 },
      { containerPort: 80, protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 8080 },
      { containerPort: 80, protocol: "udp", hostAddress: "0.0.0.0", hostPort: 8081 },
    ],
  },
  logPath: "",
};

const image: ImageRecord = {
  id: `sha256:${id}`,
  names: ["busybox:latest"],
  digests: [],
  manifest: { mediaType: "", digest: "", size: 0 },
  config: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } },
  layers: [],
  size: 1,
  createdAt: "2026-11-24T01:45:32Z",
  taggedAt: "",
};

function noSuch(kind: string, name: string): GalleyError {
  return new GalleyError("not_found", `No such ${kind}: ${name}`);
}

/** What a command did and said. */
interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly string[];
}

/** Answers for `web`, `db` and busybox alone, and notes what was asked of it. */
function fakeEngine(calls: string[]): CliEngine {
  const act = (name: string) => (container: string, options?: unknown) => {
    calls.push(options === undefined ? `${name} ${container}` : `${name} ${container} ${JSON.stringify(options)}`);
    if (!["web", "db", id].includes(container)) return Promise.reject(noSuch("container", container));
    return Promise.resolve();
  };
  const containers: Partial<Containers> = {
    stop: act("stop"),
    kill: act("kill"),
    restart: act("restart"),
    pause: act("pause"),
    remove: act("remove"),
    rename: act("rename"),
    start: async (name) => void (await act("start")(name)),
    wait: async (name) => {
      await act("wait")(name);
      return 7;
    },
    get: async (name) => {
      if (name !== "web" && name !== id) throw noSuch("container", name);
      return web;
    },
    inspect: async (name) => {
      if (name !== "web" && name !== id) throw noSuch("container", name);
      return { Id: id, Name: "/web", SizeRw: 5, SizeRootFs: 1000 };
    },
    list: async (query) => {
      calls.push(`list ${JSON.stringify(query)}`);
      return [web];
    },
    top: async () => ({ titles: ["PID", "CMD"], processes: [["1", "sh"]] }),
    create: async (spec) => {
      calls.push(`create ${JSON.stringify(spec)}`);
      return { id, warnings: ["careful"] };
    },
  };
  const images: Partial<Images> = {
    find: (name) => (name === "busybox" ? image : undefined),
    tag: (source, target) => void calls.push(`tag ${source} ${target}`),
    list: (options) => {
      calls.push(`images ${JSON.stringify(options)}`);
      return [image];
    },
    inspect: async (name) => {
      if (name !== "busybox") throw noSuch("image", name);
      return { Id: image.id };
    },
    remove: async (name) => {
      if (name !== "busybox") throw noSuch("image", name);
      return [{ untagged: "busybox:latest" }, { deleted: image.id }];
    },
    pull: async (name, options) => {
      calls.push(`pull ${name}`);
      options?.onProgress?.({ kind: "resolved", name: "library/debian", tag: "12", digest: "sha256:1" });
      options?.onProgress?.({ kind: "layer", id: "aaaaaaaaaaaa", status: "waiting", total: 5 });
      options?.onProgress?.({ kind: "downloading", id: "aaaaaaaaaaaa", current: 2, total: 5 });
      options?.onProgress?.({ kind: "layer", id: "aaaaaaaaaaaa", status: "downloaded", total: 5 });
      options?.onProgress?.({ kind: "layer", id: "bbbbbbbbbbbb", status: "exists", total: 5 });
      options?.onProgress?.({ kind: "layer", id: "aaaaaaaaaaaa", status: "complete", total: 5 });
      return { image, reference: "docker.io/library/debian:12", digest: "sha256:1", changed: true };
    },
  };
  const volumes: Partial<Volumes> = {
    inspect: async (name) => Promise.reject(noSuch("volume", name)),
  };
  return {
    containers: containers as Containers,
    images: images as Images,
    volumes: volumes as Volumes,
    imageFiles: () => Promise.reject(noSuch("mount", "")),
    convertLayers: () => Promise.reject(noSuch("layer", "")),
    usage: () => Promise.reject(noSuch("usage", "")),
    manifestLists: async () => ({ all: () => [], find: () => undefined }) as unknown as ManifestLists,
    hasManifestLists: false,
    artifacts: () => Promise.reject(noSuch("artifact", "")),
  };
}

async function galley(...argv: string[]): Promise<Outcome> {
  const [calls, out, err]: string[][] = [[], [], []];
  const cli: Cli = {
    options: { root: "/r", runroot: "/rr", debug: false },
    env: { HOME: "/nowhere" },
    out: (text) => void out?.push(text),
    err: (text) => void err?.push(text),
    isTerminal: () => false,
    engine: async () => fakeEngine(calls ?? []),
    leaveWhenDone() {},
  };
  const found = findCommand(argv);
  if (found.kind !== "command") throw new Error(`no command ${argv.join(" ")}`);
  const { command } = await found.entry.load();
  const run = async () => {
    const { values, args, changed } = parseFlags(command.flags, found.args, {
      interspersed: command.interspersed ?? true,
    });
    return command.run({ cli, flags: values, args, changed });
  };
  const status = await run().catch((failure: unknown) => reportFailure(cli, failure, { command, path: found.path }));
  return { status, out: (out ?? []).join(""), err: (err ?? []).join(""), calls: calls ?? [] };
}

describe("commands on several containers", () => {
  test("print each that is done, report the others, and end with 1", async () => {
    expect(await galley("stop", "-t", "5", "web", "nope", "db")).toEqual({
      status: 1,
      out: "web\ndb\n",
      err: "galley: No such container: nope\n",
      calls: ['stop web {"timeout":5}', 'stop nope {"timeout":5}', 'stop db {"timeout":5}'],
    });
  });

  test("options are passed on only where they are given", async () => {
    expect((await galley("stop", "web")).calls).toEqual(["stop web {}"]);
    expect((await galley("restart", "--time=0", "-s", "INT", "web")).calls).toEqual([
      'restart web {"timeout":0,"signal":"INT"}',
    ]);
    expect((await galley("kill", "web")).calls).toEqual(["kill web"]);
    expect((await galley("container", "kill", "-s", "HUP", "web")).calls).toEqual(['kill web "HUP"']);
  });

  test("rm -f takes what is not there for done", async () => {
    const outcome = await galley("rm", "-fv", "nope", "web");
    expect(outcome).toMatchObject({ status: 0, out: "web\n", err: "galley: No such container: nope\n" });
    expect((await galley("rm", "nope")).status).toBe(1);
  });

  test("wait prints statuses", async () => expect((await galley("wait", "web", "db")).out).toBe("7\n7\n"));

  test("start goes on after a failure", async () => {
    expect(await galley("start", "web", "nope", "db")).toMatchObject({ status: 1, out: "web\ndb\n" });
  });
});

describe("inspect", () => {
  test("looks among all kinds", async () => {
    const outcome = await galley("inspect", "-f", "{{.Id}}", "web", "busybox", "nope");
    expect(outcome).toMatchObject({ status: 1, out: `${id}\nsha256:${id}\n`, err: "galley: no such object: nope\n" });
  });

  test("nothing found is an empty list", async () => {
    expect(await galley("image", "inspect", "web")).toMatchObject({
      status: 1,
      out: "[]\n",
      err: "galley: No such image: web\n",
    });
  });

  test("a template that cannot be read ends with 64, one that fails with 1", async () => {
    expect((await galley("inspect", "-f", "{{.Id", "web")).status).toBe(64);
    expect((await galley("inspect", "-f", "{{.Nope}}", "web")).status).toBe(1);
  });

  test("an unknown type", async () =>
    expect((await galley("inspect", "--type", "node", "x")).err).toContain('unknown type: "node"'));
});

describe("lists", () => {
  test("ps asks for what its flags say", async () => {
    expect((await galley("ps", "-f", "name=x", "-n", "3")).calls).toEqual([
      'list {"all":true,"filters":{"name":["x"]},"last":3}',
    ]);
    expect((await galley("ps", "-l")).calls).toEqual(['list {"all":true,"filters":{},"last":1}']);
    expect((await galley("ps")).calls).toEqual(['list {"all":false,"filters":{}}']);
  });

  test("sizes are counted only where they are shown", async () => {
    expect((await galley("ps", "--format", "{{.Size}}")).out).toBe("5B (virtual 1kB)\n");
    expect((await galley("ps", "--format", "json")).out).toContain('"Size":"0B"');
  });

  test("quiet lists", async () => {
    expect((await galley("ps", "-q")).out).toBe(`${id.slice(0, 12)}\n`);
    expect(await galley("ps", "-q", "--no-trunc", "--format", "x")).toMatchObject({ out: `${id}\n`, status: 0 });
    expect((await galley("images", "-q")).out).toBe(`${id.slice(0, 12)}\n`);
  });

  test("images by pattern", async () => {
    const outcome = await galley("images", "--format", "{{.Repository}}:{{.Tag}}", "busy*");
    expect(outcome).toMatchObject({ out: "busybox:latest\n", calls: ['images {"filters":{"reference":["busy*"]}}'] });
  });

  test("top", async () => {
    expect((await galley("top", "web", "-o", "pid")).out).toBe("PID                 CMD\n1                   sh\n");
  });
});

describe("port", () => {
  test("all in the order of their numbers", async () => {
    expect((await galley("port", "web")).out).toBe(
      "80/tcp -> 0.0.0.0:8080\n80/udp -> 0.0.0.0:8081\n9000/tcp -> [::]:9\n",
    );
  });

  test("one", async () => {
    expect((await galley("port", "web", "80")).out).toBe("0.0.0.0:8080\n");
    expect((await galley("port", "web", "80/UDP")).out).toBe("0.0.0.0:8081\n");
    expect(await galley("port", "web", "99")).toMatchObject({
      status: 1,
      err: "galley: no public port '99' published for web\n",
    });
    expect((await galley("port", "web", "x")).err).toContain("invalid port 'x'");
  });
});

describe("images", () => {
  test("rmi", async () => {
    expect(await galley("rmi", "busybox", "nope")).toMatchObject({
      status: 1,
      out: `Untagged: busybox:latest\nDeleted: sha256:${id}\n`,
      err: "galley: No such image: nope\n",
    });
    expect((await galley("rmi", "-f", "nope")).status).toBe(0);
  });

  test("pull into a pipe", async () => {
    const outcome = await galley("pull", "debian:12");
    expect(outcome.out).toBe(`12: Pulling from library/debian
aaaaaaaaaaaa: Pulling fs layer
aaaaaaaaaaaa: Download complete
bbbbbbbbbbbb: Already exists
aaaaaaaaaaaa: Pull complete
Digest: sha256:1
Status: Downloaded newer image for debian:12
docker.io/library/debian:12
`);
  });

  test("pull quietly", async () =>
    expect((await galley("pull", "-q", "debian")).out).toBe("docker.io/library/debian:12\n"));
});

describe("create", () => {
  test("prints the ID, and warnings elsewhere", async () => {
    expect(await galley("create", "--name", "x", "busybox", "true")).toEqual({
      status: 0,
      out: `${id}\n`,
      err: "WARNING: careful\n",
      calls: ['create {"command":["true"],"attach":["stdout","stderr"],"name":"x","image":"busybox"}'],
    });
  });

  test("fetches an image that is not there, and says so on standard error", async () => {
    const outcome = await galley("create", "debian:12");
    expect(outcome.calls[0]).toBe("pull debian:12");
    expect(outcome.err).toStartWith("Unable to find image 'debian:12' locally\n12: Pulling from library/debian\n");
    expect(outcome.out).toBe(`${id}\n`);
  });

  test("--pull never leaves absence to the engine", async () => {
    expect((await galley("create", "--pull", "never", "debian")).calls).toEqual([
      'create {"attach":["stdout","stderr"],"image":"debian"}',
    ]);
  });
});

describe("mistakes", () => {
  test("end run with 125", async () => {
    expect(await galley("run", "--env-file", "/nonexistent/file", "busybox")).toMatchObject({ status: 125 });
    expect(await galley("run", "--rm", "--restart", "always", "busybox")).toMatchObject({ status: 125 });
  });

  test("a terminal that is not there ends run with 1", async () => {
    expect(await galley("run", "-it", "busybox")).toMatchObject({
      status: 1,
      err: "galley: the input device is not a TTY\n",
      calls: [],
    });
  });

  test("attach and detach exclude each other", async () => {
    expect(await galley("run", "-d", "-a", "stdout", "busybox")).toMatchObject({ status: 1, calls: [] });
  });

  test("detach keys that do not exist are found before anything is made", async () => {
    expect(await galley("run", "--detach-keys", "foo", "busybox")).toMatchObject({ status: 125, calls: [] });
  });
});

test("completion has every command and flag", async () => {
  const { out } = await galley("completion", "bash");
  expect(out).toContain('["galley container"]="');
  expect(out).toContain("--cap-add");
  expect(out).not.toContain("--gpus");
});
