/** The volume commands. */
import { describe, expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

describe("volume", () => {
  testWith(root, "create: named, labelled, nameless", async () => {
    expect(await store().ok(["volume", "create", "--label", "a=b", "--label", "bare", "first"])).toBe("first");
    expect(await store().ok(["volume", "create", "first"])).toBe("first");
    const nameless = await store().ok(["volume", "create", "-d", "local"]);
    expect(nameless).toMatch(/^[0-9a-f]{64}$/);
    await store().ok(["volume", "rm", nameless]);
    for (const [args, says] of [
      [["--driver", "nosuch", "x"], "no volume driver named 'nosuch'"],
      [["-o", "type=nfs", "x"], "--opt is not supported: volumes are plain directories"],
      [["bad/name"], "bad/name"],
    ] as const) {
      const { status, stderr } = await store().galley(["volume", "create", ...args]);
      expect(stderr).toContain(says);
      expect(status).toBe(1);
    }
  });

  testWith(root, "ls: the table, -q, --format and each filter", async () => {
    await store().ok(["volume", "create", "second"]);
    await store().ok(["create", "--name", "user", "-v", "second:/x", "busybox"]);
    expect(await store().ok(["volume", "ls"])).toBe("DRIVER    VOLUME NAME\nlocal     first\nlocal     second");
    expect(await store().ok(["volume", "list", "-q"])).toBe("first\nsecond");
    expect(await store().ok(["volume", "ls", "--quiet", "--filter", "dangling=true"])).toBe("first");
    expect(await store().ok(["volume", "ls", "-q", "-f", "label=a"])).toBe("first");
    expect(await store().ok(["volume", "ls", "-q", "-f", "name=sec", "-f", "driver=local"])).toBe("second");
    expect(await store().ok(["volume", "ls", "--format", "{{.Name}}:{{.Driver}}"])).toBe("first:local\nsecond:local");
    expect(JSON.parse((await store().ok(["volume", "ls", "--format", "json"])).split("\n")[0] ?? "").Name).toBe(
      "first",
    );
    expect((await store().galley(["volume", "ls", "-f", "nosuch=1"])).status).toBe(1);
    expect((await store().galley(["volume", "ls", "-f", "dangling=x"])).stderr).toContain("dangling=x");
    expect(await store().ok(["volume", "ls", "-q", "-f", "dangling=false"])).toBe("second");
    expect(await store().ok(["volume", "ls", "--format", "table {{.Name}}"])).toBe("VOLUME NAME\nfirst\nsecond");
    expect(await store().ok(["volume", "ls", "--format", "table", "-q"])).toBe("first\nsecond");
  });

  testWith(root, "ls --format raw, and a template, which -q does not change", async () => {
    const ls = (...args: readonly string[]) => store().ok(["volume", "ls", "-f", "name=first", ...args]);
    expect(await ls("--format", "raw")).toBe("name: first\ndriver: local\n");
    expect(await ls("--format", "raw", "-q")).toBe("name: first");
    expect(await ls("--format", "{{.Driver}}", "-q")).toBe("local");
    expect(JSON.parse(await ls("--format", "json", "--quiet"))).toMatchObject({ Name: "first", Driver: "local" });
  });

  testWith(root, "inspect: where it is, and what it is called", async () => {
    const [found] = JSON.parse(await store().ok(["volume", "inspect", "first"]));
    expect(found).toMatchObject({ Name: "first", Driver: "local", Labels: { a: "b", bare: "" }, Scope: "local" });
    await store().ok(["run", "--rm", "-v", "first:/x", "busybox", "sh", "-c", "echo kept > /x/f"]);
    expect(await Bun.file(`${found.Mountpoint}/f`).text()).toBe("kept\n");
    expect(await store().ok(["volume", "inspect", "--format", "{{.Name}}", "first", "second"])).toBe("first\nsecond");
    expect(await store().ok(["inspect", "-f", "{{.Name}}", "first"])).toBe("first");
    const none = await store().galley(["volume", "inspect", "nosuch"]);
    expect(none.status).toBe(1);
    expect(none.stderr).toContain("nosuch");
    const some = await store().galley(["volume", "inspect", "-f", "{{.Name}}", "nosuch", "first"]);
    expect(some).toEqual({ status: 1, stdout: "first\n", stderr: "galley: get nosuch: no such volume\n" });
    expect((await store().galley(["volume", "inspect", "-f", "{{.Nope}}", "first"])).status).toBe(1);
  });

  testWith(root, "rm: not what is in use, nor what is not there unless -f", async () => {
    const used = await store().galley(["volume", "rm", "second"]);
    expect(used.status).toBe(1);
    expect(used.stderr).toContain("volume is in use");
    const forced = await store().galley(["volume", "rm", "-f", "second"]);
    expect(forced).toMatchObject({ status: 1, stdout: "", stderr: used.stderr });
    await store().ok(["volume", "create", "free"]);
    const some = await store().galley(["volume", "rm", "nosuch", "second", "free"]);
    expect(some).toMatchObject({ status: 1, stdout: "free\n" });
    expect(some.stderr).toBe(`galley: get nosuch: no such volume\n${used.stderr}`);
    expect((await store().galley(["volume", "remove", "--force", "nosuch"])).status).toBe(0);
    await store().ok(["rm", "user"]);
    expect(await store().ok(["volume", "rm", "second"])).toBe("second");
  });

  testWith(root, "prune: anonymous ones; -a all; --filter some", async () => {
    await store().ok(["volume", "create", "--label", "keep", "third"]);
    const anonymous = await store().ok(["volume", "create"]);
    expect((await store().galley(["volume", "prune"], { stdin: "\n" })).stdout).toContain("anonymous local volumes");
    expect(await store().ok(["volume", "prune", "-f"])).toBe(
      `Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B`,
    );
    expect(await store().ok(["volume", "prune", "--force", "--all", "--filter", "label!=keep"])).toBe(
      "Deleted Volumes:\nfirst\n\nTotal reclaimed space: 5B",
    );
    expect(await store().ok(["volume", "ls", "-q"])).toBe("third");
    const unknown = await store().galley(["volume", "prune", "-f", "--filter", "nosuch=1"]);
    expect(unknown).toMatchObject({ status: 1, stdout: "" });
    expect(unknown.stderr).toContain("invalid filter 'nosuch'");
    const asked = await store().galley(["volume", "prune", "-a"], { stdin: "no\n" });
    expect(asked.stdout).toContain("WARNING! This will remove all local volumes");
    expect(await store().ok(["volume", "ls", "-q"])).toBe("third");
    await store().ok(["volume", "prune", "-af"]);
    expect(await store().ok(["volume", "ls"])).toBe("DRIVER    VOLUME NAME");
  });
});
