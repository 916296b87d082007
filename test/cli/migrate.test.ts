import { afterAll, expect, test } from "bun:test";
import { createStore } from "../harness/galley.ts";

const store = createStore();
afterAll(() => store.cleanup());

test("system migrate gives kept layers another form under a container that runs, but takes no directory from one", async () => {
  const as = { env: { GALLEY_SNAPSHOTTER: "erofs" } };
  await store.ok(["run", "-d", "--name", "one", "--network", "none", "busybox", "sleep", "1000"], as);
  const converted = await store.ok(["system", "migrate", "--to", "directories"]);
  expect(converted).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await store.ok(["exec", "one", "sh", "-c", "ls /bin/sh; echo more >/etc/motd"])).toBe("/bin/sh");
  expect(await store.galley(["system", "migrate", "--to", "erofs"])).toMatchObject({
    status: 1,
    stdout: "",
    stderr: `${converted}: a running container stands on it; left as it is\n`,
  });
  await store.ok(["stop", "-t", "0", "one"]);
  expect(await store.ok(["system", "migrate", "--to=erofs"])).toBe(converted);
  expect(await store.ok(["system", "migrate", "--to", "erofs"])).toBe("");
  await store.ok(["start", "one"]);
  expect(await store.ok(["exec", "one", "cat", "/etc/motd"])).toBe("more");
});

test("an unknown form is refused", async () => {
  for (const args of [
    ["system", "migrate"],
    ["system", "migrate", "--to", "tar"],
    ["--snapshotter", "tar", "images"],
  ]) {
    expect((await store.galley(args)).status).toBe(125);
  }
});
