/** ps, top, port, diff, inspect, prune, explain: what there is to see of containers. */
import { beforeAll, describe, expect } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();
const ids = new Map<string, string>();
const port = freePort();

beforeAll(async () => {
  if (missing(root) !== undefined) return;
  const make = async (name: string, ...args: readonly string[]) => {
    ids.set(name, await store().ok([...args.slice(0, 1), "--name", name, ...args.slice(1)]));
  };
  await make("fresh", "create", "-l", "kind=a", "-v", "data:/data", "busybox", "sleep", "1000");
  await make(
    "busy",
    "create",
    "-l",
    "kind=b",
    "-p",
    `127.0.0.1:${port}:80`,
    "-p",
    "81/udp",
    "busybox",
    "sleep",
    "1000",
  );
  await make("over", "create", "--network", "none", "busybox", "sh", "-c", "echo x > /file; rm /etc/group; exit 3");
  await store().ok(["start", "busy", "over"]);
  await store().ok(["wait", "over"]);
});

async function names(...args: readonly string[]): Promise<string[]> {
  return (await store().ok(["ps", "--format", "{{.Names}}", ...args])).split("\n").filter(Boolean);
}

describe("ps", () => {
  testWith(root, "the table, of what runs and of all", async () => {
    const [head, line, ...more] = (await store().ok(["ps"])).split("\n");
    expect(head).toMatch(/^CONTAINER ID {3}IMAGE {5}COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    const id = ids.get("busy")?.slice(0, 12);
    expect(line).toMatch(
      new RegExp(
        `^${id} {3}busybox {3}"sleep 1000" +\\S.* ago +Up .+127\\.0\\.0\\.1:${port}->80/tcp, .*->81/udp +busy$`,
      ),
    );
    expect(more).toEqual([]);
    const all = await store().ok(["container", "ls", "-a"]);
    expect(all).toMatch(/Exited \(3\) .* ago +over\n/);
    expect(all).toMatch(/Created +fresh$/m);
  });

  testWith(root, "-q, --no-trunc, -n, -l, -s", async () => {
    expect(await store().ok(["ps", "-q"])).toBe(ids.get("busy")?.slice(0, 12) ?? "");
    expect(await store().ok(["container", "list", "--quiet", "--no-trunc"])).toBe(ids.get("busy") ?? "");
    expect(await names("-n", "2")).toEqual(["over", "busy"]);
    expect(await names("--last", "1")).toEqual(["over"]);
    expect(await names("--latest")).toEqual(["over"]);
    expect(await names("-l")).toEqual(["over"]);
    expect(await store().ok(["ps", "-a", "--size", "--filter", "name=over"])).toMatch(/ 2B \(virtual [0-9.]+MB\)$/);
    expect(await store().ok(["ps", "-s", "--format", "{{.Size}}"])).toMatch(/^0B \(virtual /);
  });

  testWith(root, "--format: json, a template, a table of one", async () => {
    const [object] = (await store().ok(["ps", "--format", "json"])).split("\n").map((line) => JSON.parse(line));
    expect(object).toMatchObject({
      ID: ids.get("busy")?.slice(0, 12),
      Names: "busy",
      State: "running",
      Labels: "kind=b",
    });
    expect(await store().ok(["ps", "--format", "table {{.Names}}\t{{.State}}"])).toBe(
      "NAMES     STATE\nbusy      running",
    );
    const bad = await store().galley(["ps", "--format", "{{.Nosuch}}"]);
    expect(bad.status).not.toBe(0);
    expect(bad.stderr).toContain("Nosuch");
  });

  testWith(
    root,
    "--format raw and table; -q before a template, with a warning; an empty list has its head",
    async () => {
      expect(await store().ok(["ps", "--format", "raw"])).toMatch(
        /^container_id: .*\nimage: busybox\ncommand: "sleep 1000"\n(.*\n)*names: busy\nlabels: kind=b\nports: .*\n$/,
      );
      expect(await store().ok(["ps", "-s", "--format", "raw"])).toContain("\nsize: 0B (virtual ");
      expect(await store().ok(["ps", "--format", "table"])).toMatch(/^CONTAINER ID .* NAMES\n.* busy$/);
      expect(await store().galley(["ps", "-q", "--format", "{{.Names}}"])).toEqual({
        status: 0,
        stdout: `${ids.get("busy")?.slice(0, 12)}\n`,
        stderr: "WARNING: Ignoring custom format, because both --format and --quiet are set.\n",
      });
      expect(await store().ok(["ps", "-f", "label=nosuch"])).toMatch(/^CONTAINER ID .* NAMES$/);
    },
  );

  testWith(root, "a malformed value of a filter or flag is refused by its name", async () => {
    for (const value of ["status=x", "exited=x", "health=x", "is-task=x", "publish=x", "expose=x"]) {
      const { status, stdout, stderr } = await store().galley(["ps", "-f", value]);
      expect({ value, status, stdout }).toEqual({ value, status: 1, stdout: "" });
      expect(stderr).toContain(`invalid filter '${value.split("=")[0]}=`);
    }
    expect((await store().galley(["ps", "-f", "before=nosuch"])).stderr).toContain("No such container: nosuch");
    for (const [args, says] of [
      [["-f", "label"], 'invalid argument "label" for "-f, --filter" flag: bad format of filter (expected name=value)'],
      [["-n", "x"], 'invalid argument "x" for "-n, --last" flag'],
      [["--all=maybe"], 'invalid argument "maybe" for "-a, --all" flag'],
    ] as const) {
      const { status, stderr } = await store().galley(["ps", ...args]);
      expect(stderr).toContain(says);
      expect(status).toBe(125);
    }
    const argument = await store().galley(["ps", "busy"]);
    expect(argument).toMatchObject({ status: 1, stdout: "" });
    expect(argument.stderr).toStartWith("galley: 'galley ps' accepts no arguments\n");
  });

  testWith(root, "--filter, each kind", async () => {
    const filters: readonly (readonly [string, readonly string[]])[] = [
      [`id=${ids.get("fresh")?.slice(0, 12)}`, ["fresh"]],
      ["name=us", ["busy"]],
      ["label=kind", ["busy", "fresh"]],
      ["label=kind=a", ["fresh"]],
      ["status=created", ["fresh"]],
      ["exited=3", ["over"]],
      ["ancestor=busybox", ["over", "busy", "fresh"]],
      ["volume=data", ["fresh"]],
      ["network=none", ["over"]],
      [`publish=${port}`, ["busy"]],
      ["expose=81/udp", ["busy"]],
      ["before=busy", ["fresh"]],
      ["since=busy", ["over"]],
      ["health=none", ["over", "busy", "fresh"]],
      ["is-task=false", ["over", "busy", "fresh"]],
    ];
    for (const [filter, expected] of filters)
      expect([filter, await names("-a", "-f", filter)]).toEqual([filter, [...expected]]);
    expect(await names("--all", "--filter", "label=kind", "--filter", "status=running")).toEqual(["busy"]);
    const bad = await store().galley(["ps", "--filter", "nosuch=1"]);
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain("nosuch");
  });
});

describe("one container", () => {
  testWith(root, "top: its processes, with ps's options", async () => {
    expect(await store().ok(["top", "busy"])).toMatch(/^UID .* CMD\nroot .* sleep 1000$/);
    expect(await store().ok(["container", "top", "busy", "-o", "pid,comm"])).toMatch(/^PID +COMMAND\n\d+ +sleep$/);
    expect((await store().galley(["top", "fresh"])).stderr).toContain("is not running");
    expect((await store().galley(["top", "busy", "-o", "nosuch"])).status).toBe(1);
    expect(await store().ok(["top", "busy", "aux"])).toMatch(/^USER +PID +%CPU .* COMMAND\nroot .* sleep 1000$/);
    expect((await store().galley(["top", "nosuch"])).stderr).toBe("galley: No such container: nosuch\n");
  });

  testWith(root, "port: all, one, and one that is none", async () => {
    expect((await store().ok(["port", "busy"])).split("\n")[0]).toBe(`80/tcp -> 127.0.0.1:${port}`);
    expect(await store().ok(["port", "busy", "80"])).toBe(`127.0.0.1:${port}`);
    expect(await store().ok(["container", "port", "busy", "81/udp"])).toMatch(/^0\.0\.0\.0:\d+$/);
    const none = await store().galley(["port", "busy", "99"]);
    expect(none).toEqual({ status: 1, stdout: "", stderr: "galley: no public port '99' published for busy\n" });
    expect(await store().ok(["port", "fresh"])).toBe("");
    for (const name of ["busy", "fresh"]) {
      const bad = await store().galley(["port", name, "http"]);
      expect(bad).toMatchObject({ status: 1, stdout: "" });
      expect(bad.stderr).toContain("invalid port 'http'");
    }
    expect((await store().galley(["port", "nosuch"])).stderr).toBe("galley: No such container: nosuch\n");
  });

  testWith(root, "diff: what was added, changed and deleted", async () => {
    expect((await store().ok(["diff", "over"])).split("\n").sort()).toEqual(["A /file", "C /etc", "D /etc/group"]);
    expect(await store().ok(["container", "diff", "fresh"])).toBe("");
    expect((await store().galley(["diff", "nosuch"])).status).toBe(1);
  });

  testWith(root, "inspect: the document, templates, sizes, several and none", async () => {
    const [whole] = JSON.parse(await store().ok(["container", "inspect", "busy"]));
    expect(whole).toMatchObject({ Id: ids.get("busy"), Name: "/busy", State: { Running: true }, Path: "sleep" });
    expect(await store().ok(["container", "inspect", "--format", "{{.Name}} {{json .Args}}", "over", "busy"])).toBe(
      '/over ["-c","echo x > /file; rm /etc/group; exit 3"]\n/busy ["1000"]',
    );
    expect(await store().ok(["container", "inspect", "-f", "{{.SizeRw}}", "-s", "over"])).toBe("2");
    expect(await store().ok(["inspect", "--size", "--type", "container", "-f", "{{.SizeRw}}", "over"])).toBe("2");
    const some = await store().galley(["container", "inspect", "-f", "{{.Name}}", "busy", "nosuch"]);
    expect(some).toEqual({ status: 1, stdout: "/busy\n", stderr: "galley: No such container: nosuch\n" });
    expect((await store().galley(["inspect", "--type", "volume", "busy"])).status).toBe(1);
    expect(await store().ok(["inspect", "--type", "image", "-f", "{{index .RepoTags 0}}", "busybox"])).toBe(
      "busybox:latest",
    );
    expect((await store().galley(["inspect", "nosuch"])).stderr).toContain("no such object: nosuch");
    const unknown = await store().galley(["inspect", "--type", "network", "busy"]);
    expect(unknown).toMatchObject({ status: 1, stdout: "" });
    expect(unknown.stderr).toContain('unknown type: "network"');
    const field = await store().galley(["inspect", "-f", "{{.Nosuch}}", "busy"]);
    expect(field.status).toBe(1);
    expect(field.stderr).toContain('map has no entry for key "Nosuch"');
    // docker's status for a template that is none.
    expect((await store().galley(["container", "inspect", "-f", "{{", "busy"])).status).toBe(64);
    expect(JSON.parse(await store().ok(["inspect", "-f", "json", "busy"]))).toMatchObject([{ Name: "/busy" }]);
  });

  testWith(root, "explain: the steps with their times, as text and as JSON", async () => {
    expect(await store().ok(["explain", "busy"])).toMatch(
      /^outside:\n(.*\n)*inside:\n(.*\n)*.*exec\(\["sleep","1000"\]/,
    );
    const steps = JSON.parse(await store().ok(["container", "explain", "--format", "json", "busy"]));
    expect(steps.inside.at(-1)).toMatchObject({ step: expect.stringContaining("exec("), start: expect.any(Number) });
    expect((await store().galley(["explain", "--format", "xml", "busy"])).status).toBe(125);
    expect((await store().galley(["explain", "fresh"])).status).toBe(1);
  });
});

describe("container prune", () => {
  testWith(root, "--filter: docker's keys, each of which must hold", async () => {
    const prune = (...filters: readonly string[]) =>
      store().galley(["container", "prune", "-f", ...filters.flatMap((filter) => ["--filter", filter])]);
    for (const filters of [["label=kind=b"], ["label=kind", "label=other"], ["until=1h"], ["until=2020-01-01"]])
      expect([filters, (await prune(...filters)).stdout]).toEqual([filters, "Total reclaimed space: 0B\n"]);
    for (const [filters, says] of [
      [["name=over"], "invalid filter 'name'"],
      [["status=exited"], "invalid filter 'status'"],
      [["until=whenever"], "invalid filter 'until=whenever'"],
      [["until=1h", "until=2h"], "invalid filter 'until'"],
    ] as const) {
      const { status, stdout, stderr } = await prune(...filters);
      expect({ filters, status, stdout }).toEqual({ filters, status: 1, stdout: "" });
      expect(stderr).toContain(says);
    }
    expect(await names("-a")).toHaveLength(3);
    const make = (label: string) => store().ok(["create", "--label", label, "busybox"]);
    const [kept, gone] = [await make("keep=1"), await make("keep=2")];
    const chosen = await prune("label!=keep=1", "label=keep", "until=0s");
    expect(chosen.stdout).toBe(`Deleted Containers:\n${gone}\n\nTotal reclaimed space: 0B\n`);
    expect(await store().ok(["rm", kept])).toBe(kept);
  });

  testWith(root, "asks; a filter chooses; what runs stays", async () => {
    const refused = await store().galley(["container", "prune"], { stdin: "n\n" });
    expect(refused.status).toBe(0);
    expect(refused.stdout).toContain("WARNING! This will remove all stopped containers.");
    expect(await names("-a")).toHaveLength(3);
    const chosen = await store().ok(["container", "prune", "--force", "--filter", "label=kind=a"]);
    expect(chosen).toBe(`Deleted Containers:\n${ids.get("fresh")}\n\nTotal reclaimed space: 0B`);
    const rest = await store().galley(["container", "prune"], { stdin: "y\n" });
    expect(rest.stdout).toEndWith(`Deleted Containers:\n${ids.get("over")}\n\nTotal reclaimed space: 2B\n`);
    expect(await store().ok(["container", "prune", "-f"])).toBe("Total reclaimed space: 0B");
    expect(await names("-a")).toEqual(["busy"]);
  });
});
