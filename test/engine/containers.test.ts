/** Containers through the engine's own interface, on the real kernel. */
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { toGalleyError } from "../../src/errors.ts";
import { describeRecipe } from "../../src/recipe/describe.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { Lab, readAll } from "./lab.ts";

const needs = { root: true };
let lab: Lab;

beforeAll(async () => {
  if (missing(needs) === undefined) lab = await Lab.open();
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 20_000);
}

async function failureOf(work: Promise<unknown>) {
  return toGalleyError(
    await work.then(
      () => new Error("it worked"),
      (failure: unknown) => failure,
    ),
  );
}

root("a container from creation to removal", async () => {
  const id = await lab.create("echo out; echo err >&2; exit 7", { name: "whole" });
  expect((await lab.containers.get("whole")).state).toBe("created");
  const seen = await readAll(await lab.containers.start(id, { attach: { stdin: false, output: true } }));
  expect(seen).toEqual({ stdout: "out\n", stderr: "err\n", code: 7 });
  const { state, exitCode, startedAt, finishedAt, unattended } = await lab.containers.get(id.slice(0, 12));
  expect([state, exitCode, unattended]).toEqual(["exited", 7, false]);
  expect(Date.parse(finishedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
  const lines = await Array.fromAsync(lab.containers.logs(id));
  expect(lines.map((line) => `${line.stream} ${new TextDecoder().decode(line.data)}`).sort()).toEqual([
    "stderr err\n",
    "stdout out\n",
  ]);
  await lab.containers.remove(id);
  expect((await failureOf(lab.containers.get(id))).message).toBe(`No such container: ${id}`);
  expect(existsSync(`${lab.paths.containers}/${id}`)).toBe(false);
});

root("standard input reaches the container, and ends", async () => {
  const id = await lab.create("cat; echo done", { openStdin: true, stdinOnce: true });
  const attachment = await lab.containers.start(id, { attach: { stdin: true, output: true } });
  const text = "line\n".repeat(100_000);
  const seen = readAll(attachment);
  await attachment?.write(new TextEncoder().encode(text));
  attachment?.closeStdin();
  expect(await seen).toEqual({ stdout: `${text}done\n`, stderr: "", code: 0 });
});

root("a reader that is slow loses nothing", async () => {
  const id = await lab.create(
    "i=0; while [ $i -lt 40000 ]; do echo $i 0123456789012345678901234567890123456789; i=$((i+1)); done",
  );
  const attachment = await lab.containers.start(id, { attach: { stdin: false, output: true } });
  let [size, pauses] = [0, 0];
  for await (const event of attachment?.events ?? []) {
    if (event.kind === "exit") expect(event.code).toBe(0);
    else size += event.data.length;
    if (pauses++ < 3) await Bun.sleep(150);
  }
  const lines = Array.from({ length: 40000 }, (_, i) => `${i} `.length + 41);
  expect(size).toBe(lines.reduce((sum, one) => sum + one, 0));
});

root("who detaches leaves the container running, and comes back", async () => {
  const id = await lab.create("while read line; do echo got $line; done", { openStdin: true });
  const first = await lab.containers.start(id, { attach: { stdin: true, output: true } });
  first?.detach();
  expect((await readAll(first)).code).toBeUndefined();
  const again = await lab.containers.attach(id, { stdin: true, output: true });
  const seen = readAll(again);
  await again.write(new TextEncoder().encode("one\n"));
  again.closeStdin();
  expect(await seen).toEqual({ stdout: "got one\n", stderr: "", code: 0 });
  expect((await failureOf(lab.containers.attach(id, { stdin: true, output: true }))).message).toContain(
    "stopped container",
  );
});

root("a --rm container goes with its end, and wait tells its code", async () => {
  const { id, code } = await lab.run("exit 3", { autoRemove: true });
  expect(code).toBe(3);
  expect((await failureOf(lab.containers.wait(id, "removed"))).code).toBe("not_found");
  expect((await lab.containers.list({ all: true })).map((one) => one.id)).not.toContain(id);
  const detached = await lab.start("sleep 0.2; exit 4", { autoRemove: true });
  expect(await lab.containers.wait(detached, "removed")).toBe(4);
});

root("stop asks, waits and then insists", async () => {
  const polite = await lab.start('trap "exit 5" TERM; while :; do sleep 0.02; done');
  await Bun.sleep(100);
  await lab.containers.stop(polite);
  expect((await lab.containers.get(polite)).exitCode).toBe(5);
  const stubborn = await lab.start("sleep 1000");
  await lab.containers.stop(stubborn, { timeout: 0 });
  expect((await lab.containers.get(stubborn)).exitCode).toBe(137);
  await lab.containers.stop(stubborn);
  expect((await failureOf(lab.containers.kill(stubborn))).message).toContain("is not running");
});

root("restart policies are the shim's, and end with stop", async () => {
  const id = await lab.start("exit 1", { restart: { name: "on-failure", maxRetries: 2 } });
  expect(await lab.containers.wait(id)).toBe(1);
  expect((await lab.containers.get(id)).restartCount).toBe(2);
  const always = await lab.start("sleep 0.05", { restart: { name: "always", maxRetries: 0 } });
  while ((await lab.containers.get(always)).restartCount === 0) await Bun.sleep(10);
  await lab.containers.stop(always, { timeout: 1 });
  expect((await lab.containers.get(always)).state).toBe("exited");
});

root("a restarted container keeps its files", async () => {
  const id = await lab.start("echo x >> /file; wc -l < /file; sleep 1000");
  await lab.containers.restart(id, { timeout: 0 });
  const { stdout } = await readAll(await lab.containers.exec(id, { command: ["wc", "-l", "/file"] }));
  expect(stdout).toBe("2 /file\n");
});

root("pause and unpause", async () => {
  const id = await lab.start("sleep 1000");
  await lab.containers.pause(id);
  expect((await lab.containers.get(id)).state).toBe("paused");
  expect((await failureOf(lab.containers.pause(id))).message).toContain("is already paused");
  expect((await failureOf(lab.containers.exec(id, { command: ["true"] }))).message).toContain("is paused");
  expect((await failureOf(lab.containers.remove(id))).code).toBe("failed_precondition");
  await lab.containers.unpause(id);
  expect((await lab.containers.get(id)).state).toBe("running");
  await lab.containers.pause(id);
  await lab.containers.remove(id, { force: true });
});

root("exec runs beside the container's command", async () => {
  const id = await lab.start("sleep 1000");
  const exec = async (...command: string[]) => readAll(await lab.containers.exec(id, { command }));
  expect(await exec("sh", "-c", "echo here; exit 9")).toEqual({ stdout: "here\n", stderr: "", code: 9 });
  expect((await exec("cat", "/proc/1/cmdline")).stdout).toContain("sleep");
  expect((await failureOf(exec("nope"))).exitStatus).toBe(127);
  expect((await failureOf(exec("/etc/passwd"))).exitStatus).toBe(126);
  const codes = await Promise.all(Array.from({ length: 10 }, (_, code) => exec("sh", "-c", `exit ${code}`)));
  expect(codes.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, (_, code) => code));
  expect(await lab.containers.exec(id, { command: ["touch", "/made"], detach: true })).toBeUndefined();
  await lab.containers.remove(id, { force: true });
  expect(readdirSync(lab.paths.live).filter((name) => name.startsWith(id))).toEqual([]);
});

root("what cannot start says why, and can be started again or removed", async () => {
  const missingCommand = await lab.create("", { command: ["nope"], name: "broken" });
  const failure = await failureOf(lab.containers.start(missingCommand));
  expect([failure.exitStatus, failure.message]).toEqual([127, 'exec: "nope": executable file not found in $PATH']);
  const { state, exitCode, error } = await lab.containers.get("broken");
  expect([state, exitCode]).toEqual(["created", 127]);
  expect(error).toContain("executable file not found");
  await lab.containers.remove("broken");
});

root("names are unique, and change", async () => {
  const id = await lab.create("true", { name: "taken" });
  expect((await failureOf(lab.create("true", { name: "taken" }))).message).toContain(
    `Conflict. The container name "/taken" is already in use by container "${id}"`,
  );
  await lab.containers.rename("taken", "free");
  const second = await lab.create("true", { name: "taken" });
  expect((await failureOf(lab.containers.rename("free", "taken"))).code).toBe("already_exists");
  await Promise.all([id, second].map((one) => lab.containers.remove(one)));
});

root("an image in use is not removed", async () => {
  const id = await lab.start("sleep 1000");
  expect((await failureOf(lab.engine.images.remove("busybox"))).message).toMatch(/container [0-9a-f]{12} is using/);
  await lab.containers.remove(id, { force: true });
});

root("volumes: named ones stay, anonymous ones go with their container", async () => {
  const mounts = [
    { type: "volume", source: "kept", target: "/kept" },
    { type: "volume", target: "/etc" },
  ] as const;
  const { id, stdout } = await lab.run("echo data > /kept/file; cat /etc/group | head -1", { mounts });
  expect(stdout).toBe("root:x:0:\n");
  expect(await lab.engine.volumes.list({})).toHaveLength(2);
  expect((await failureOf(lab.engine.volumes.remove("kept"))).code).toBe("failed_precondition");
  await lab.containers.remove(id, { volumes: true });
  expect((await lab.engine.volumes.list({})).map(({ name }) => name)).toEqual(["kept"]);
  expect((await lab.run("cat /kept/file", { mounts: [mounts[0]] })).stdout).toBe("data\n");
});

root("namespaces of another container are shared", async () => {
  const id = await lab.start("sleep 1000", { hostname: "shared" });
  const { stdout } = await lab.run("hostname; ls /proc | grep -c '^1$'", {
    network: `container:${id}`,
    pidMode: `container:${id}`,
  });
  expect(stdout).toBe("shared\n1\n");
  const failure = await failureOf(lab.run("true", { network: "container:nobody" }));
  expect(failure.code).toBe("not_found");
});

root("a plan makes nothing, and an explanation has the times", async () => {
  const before = readdirSync(lab.paths.containers);
  const mounts = [{ type: "volume", source: "unmade", target: "/unmade" }] as const;
  const text = describeRecipe(await lab.containers.plan(lab.script("true", { network: "bridge", mounts })));
  expect(text).toContain("/unmade");
  expect(readdirSync(lab.paths.containers)).toEqual(before);
  expect((await lab.engine.volumes.list({})).map(({ name }) => name)).not.toContain("unmade");
  const { id } = await lab.run("true");
  const { recipe, timings } = await lab.containers.explain(id);
  expect(timings.inside).toHaveLength(recipe.sections.inside?.length ?? -1);
  expect(timings.outside.every((time) => time !== undefined && time.end >= time.start)).toBe(true);
});

root("two who start one container at once start it once", async () => {
  const id = await lab.create("echo once; sleep 1000");
  await Promise.all([lab.containers, lab.other().containers].map((containers) => containers.start(id)));
  expect(await firstLine(id)).toBe("once\n");
  expect(await Array.fromAsync(lab.containers.logs(id))).toHaveLength(1);
  await Promise.all([
    lab.containers.remove(id, { force: true }),
    lab
      .other()
      .containers.remove(id, { force: true })
      .catch((failure) => expect(toGalleyError(failure).code).toBe("not_found")),
  ]);
});

/** The container's first line of output, when it has come. */
async function firstLine(id: string): Promise<string | undefined> {
  for await (const { data } of lab.containers.logs(id, { follow: true })) return new TextDecoder().decode(data);
  return undefined;
}
