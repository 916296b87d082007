/** logs: which lines, with what in front, and until when. */
import { beforeAll, describe, expect } from "bun:test";
import { missing, testWith } from "../harness/requirements.ts";
import { fileStore } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

beforeAll(async () => {
  if (missing(root) !== undefined) return;
  const script = "echo one; echo two >&2; sleep 1.1; echo three; printf four";
  await store().galley(["run", "--name", "said", "busybox", "sh", "-c", script]);
});

function logs(...args: readonly string[]) {
  return store().galley(["logs", ...args, "said"]);
}

describe("logs", () => {
  testWith(root, "each stream goes where it came from, the last line without an end as it was", async () => {
    expect(await logs()).toEqual({ status: 0, stdout: "one\nthree\nfour", stderr: "two\n" });
  });

  testWith(root, "-n, --tail: the last lines", async () => {
    expect((await logs("-n", "1")).stdout).toBe("four");
    expect(await logs("--tail", "3")).toEqual({ status: 0, stdout: "three\nfour", stderr: "two\n" });
    expect((await logs("--tail", "0")).stdout).toBe("");
    expect((await logs("--tail", "all")).stdout).toBe("one\nthree\nfour");
    // docker's daemon takes what is no number for all.
    expect((await logs("--tail", "many")).stdout).toBe("one\nthree\nfour");
  });

  testWith(root, "-t, --timestamps: when, in front", async () => {
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z`;
    expect((await logs("-t")).stdout).toMatch(new RegExp(`^${time} one\\n${time} three\\n${time} four$`));
    expect((await logs("--timestamps", "--details")).stderr).toMatch(new RegExp(`^${time} two\\n$`));
  });

  testWith(root, "--since and --until: times as docker reads them", async () => {
    const lines = (await logs("-t")).stdout.split("\n");
    const [first = "", third = ""] = [lines[0]?.split(" ")[0], lines[1]?.split(" ")[0]];
    expect((await logs("--since", third)).stdout).toBe("three\nfour");
    expect((await logs("--until", first)).stdout).toBe("one\n");
    expect((await logs("--since", "1h")).stdout).toBe("one\nthree\nfour");
    expect((await logs("--until", "1h")).stdout).toBe("");
    expect((await logs("--since", String(Math.floor(Date.parse(third) / 1000) + 100))).stdout).toBe("");
    const bad = await logs("--since", "whenever");
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain('invalid value for "since"');
  });

  testWith(root, "-f follows until the container ends; a container that has ended is not waited for", async () => {
    await store().ok(["run", "-d", "-i", "--name", "live", "busybox", "sh", "-c", "echo a; read x; echo b $x"]);
    const session = store().spawn(["logs", "-f", "--tail", "all", "live"]);
    await session.waitFor("a");
    await store().galley(["attach", "live"], { stdin: "end\n" });
    expect(await session.ended()).toBe(0);
    expect(session.stdout).toBe("a\nb end\n");
    expect(await store().ok(["container", "logs", "--follow", "live"])).toBe("a\nb end");
    await store().ok(["rm", "live"]);
  });

  testWith(root, "a terminal has one stream", async () => {
    await store().ok(["run", "-d", "-t", "--name", "term", "busybox", "sh", "-c", "echo out; echo err >&2"]);
    await store().ok(["wait", "term"]);
    expect(await store().galley(["logs", "term"])).toEqual({ status: 0, stdout: "out\r\nerr\r\n", stderr: "" });
    await store().ok(["rm", "term"]);
  });

  testWith(root, "of an unknown container", async () => {
    const result = await store().galley(["logs", "nosuch"]);
    expect(result).toEqual({ status: 1, stdout: "", stderr: "galley: No such container: nosuch\n" });
  });
});
