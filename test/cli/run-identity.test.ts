/** Flags of `run` and `create` about what a container is called, and what becomes of the command that makes one. */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

beforeAll(() => writeFileSync(join(store().home, "labels"), "# comment\nfile=1\nboth=file\n"));

refuseFlags("refused:", store, [
  ["--name bad/name", "Invalid container name (bad/name)"],
  ["--name x", "Invalid container name (x)"],
  ["--label-file HOME/nosuch", "nosuch"],
  ["--cidfile HOME/labels", "container ID file found"],
  ["--cidfile HOME/nosuch/file", "nosuch"],
  // What it does with a key is in test/image/encryption.test.ts.
  ["--pull always --decryption-key HOME/nosuch", "nosuch"],
]);

describe("a container's identity", () => {
  testWith(root, "--name, once", async () => {
    const id = await store().ok(["create", "--name", "named", "busybox"]);
    const { status, stderr } = await store().galley(["create", "--name", "named", "busybox"]);
    expect(status).toBe(125);
    expect(stderr).toContain(`The container name "/named" is already in use by container "${id}"`);
    expect(await store().ok(["rm", "named"])).toBe("named");
  });

  testWith(root, "--label, -l, --label-file and --annotation are in inspect", async () => {
    const flags = [
      "--label-file",
      join(store().home, "labels"),
      "--label",
      "both=flag",
      "-l",
      "bare",
      "--annotation",
      "a.b=c",
    ];
    await store().ok(["create", "--name", "labelled", ...flags, "busybox"]);
    const [found] = JSON.parse(await store().ok(["inspect", "labelled"]));
    expect(found.Config.Labels).toEqual({ file: "1", both: "flag", bare: "" });
    expect(found.HostConfig.Annotations).toEqual({ "a.b": "c" });
    await store().ok(["rm", "labelled"]);
  });

  testWith(root, "--cidfile of create holds the ID", async () => {
    const file = join(store().home, "created");
    const id = await store().ok(["create", "--cidfile", file, "busybox"]);
    expect(readFileSync(file, "utf8")).toBe(id);
    expect(await store().ok(["inspect", "-f", "{{.HostConfig.ContainerIDFile}}", id])).toBe(file);
    await store().ok(["rm", id]);
  });

  testWith(root, "an image that is not there, with --pull never", async () => {
    const result = await store().galley(["run", "--pull", "never", "nosuch:1", "true"]);
    expect(result).toEqual({ status: 125, stdout: "", stderr: "galley: No such image: nosuch:1\n" });
  });

  testWith(root, "--pull always asks the registry for an image that is there, --pull missing does not", async () => {
    const name = "127.0.0.1:1/there:1";
    await store().ok(["tag", "busybox", name]);
    expect(await store().ok(["run", "--rm", "--pull", "missing", name, "echo", "here"])).toBe("here");
    const { status, stderr } = await store().galley(["run", "--rm", "--pull", "always", name, "true"]);
    expect(status).toBe(125);
    expect(stderr).toContain("http://127.0.0.1:1: nothing answers there");
    await store().ok(["rmi", name]);
  });

  testWith(root, "an image that is to be pulled is told of, unless --quiet", async () => {
    const run = (...flags: string[]) => store().galley(["create", ...flags, "127.0.0.1:1/absent:1"]);
    const [told, quiet] = await Promise.all([run(), run("--quiet")]);
    expect(told.stderr).toStartWith("Unable to find image '127.0.0.1:1/absent:1' locally\n");
    expect(quiet.stderr).toStartWith("galley: ask registry http://127.0.0.1:1");
    expect([told.status, quiet.status]).toEqual([125, 125]);
  });

  testWith(root, "create refuses what run refuses, and -d, with 125", async () => {
    for (const flags of ["--cap-add nosuch", "--network nosuch", "--restart nosuch", "--health-cmd true", "-d"]) {
      const { status, stdout } = await store().galley(["create", ...flags.split(" "), "busybox"]);
      expect({ flags, status, stdout }).toEqual({ flags, status: 125, stdout: "" });
    }
    expect(await store().ok(["ps", "-aq"])).toBe("");
  });

  testWith(root, "--rm leaves nothing", async () => {
    const id = await store().ok(["run", "--rm", "-d", "busybox", "sleep", "1000"]);
    await store().ok(["kill", id]);
    await store().galley(["wait", id]);
    expect(await store().ok(["ps", "-aq"])).toBe("");
    expect(existsSync(join(store().root, "containers", id))).toBe(false);
  });

  testWith(root, "--plan makes nothing, of create either", async () => {
    expect(await store().ok(["run", "--plan", "busybox", "true"])).toContain("inside:\n");
    expect(await store().ok(["ps", "-aq"])).toBe("");
  });

  testWith(root, "create takes what run takes, and start runs it", async () => {
    await store().ok(["container", "create", "--name", "later", "-e", "A=1", "busybox", "sh", "-c", "echo $A"]);
    expect(await store().ok(["inspect", "-f", "{{.State.Status}}", "later"])).toBe("created");
    expect(await store().ok(["container", "start", "-a", "later"])).toBe("1");
    await store().ok(["container", "rm", "later"]);
    expect(await store().ok(["container", "run", "--rm", "busybox", "echo", "there"])).toBe("there");
  });
});
