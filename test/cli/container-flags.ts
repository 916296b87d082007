/** Flags of `run` through the program itself: what a container sees of each, and how what cannot be is refused. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { createStore, type Store } from "../harness/galley.ts";
import { missing, testWith } from "../harness/requirements.ts";

const root = { root: true };

/** The store of one test file. */
export function fileStore(): () => Store {
  let store: Store | undefined;
  beforeAll(async () => {
    store = createStore();
    // The first container makes the embedded image, and says so.
    if (missing(root) === undefined) await store.ok(["run", "--rm", "busybox", "true"]);
  });
  afterAll(async () => {
    expect(await store?.cleanup()).toEqual({ processes: [], mounts: [] });
  });
  return () => {
    if (store === undefined) throw new Error("the store is made before the tests");
    return store;
  };
}

/** Flags, a script for the container's shell, and all that it prints. `HOME` in a flag is the store's home directory. */
export type Try = readonly [flags: string, script: string, prints: string | RegExp];

/** Runs each script in a container of its own with the flags, which are divided at spaces. */
export function tryFlags(title: string, store: () => Store, tries: readonly Try[]): void {
  describe(title, () => {
    for (const [flags, script, prints] of tries) {
      testWith(root, `${flags} (${script})`, async () => {
        const args = ["run", "--rm", ...wordsOf(store(), flags), "busybox", "sh", "-c", script];
        const { status, stdout, stderr } = await store().galley(args);
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        if (typeof prints === "string") expect(stdout).toBe(`${prints}\n`);
        else expect(stdout).toMatch(prints);
      });
    }
  });
}

/** Flags, what to show of the container (a template of `inspect`), and all that is shown. */
export type Shown = readonly [flags: string, template: string, shows: string];

/** Makes a container with each of the flags by `create`, for what can be seen only from outside. */
export function showFlags(title: string, store: () => Store, shown: readonly Shown[]): void {
  describe(title, () => {
    for (const [flags, template, shows] of shown) {
      testWith(root, `${flags} (${template})`, async () => {
        const id = await store().ok(["create", ...wordsOf(store(), flags), "busybox"]);
        expect(await store().ok(["inspect", "-f", template, id])).toBe(shows);
        await store().ok(["rm", "-v", id]);
      });
    }
  });
}

/** Flags, and what standard error says of them. The status is 125, and no container is left. */
export type Refusal = readonly [flags: string, says: string | RegExp];

/** Gives each to `run`, which refuses them. */
export function refuseFlags(title: string, store: () => Store, refusals: readonly Refusal[]): void {
  describe(title, () => {
    for (const [flags, says] of refusals) {
      testWith(root, `${flags}`, async () => {
        const args = ["run", "--rm", ...wordsOf(store(), flags), "busybox", "true"];
        const { status, stdout, stderr } = await store().galley(args);
        expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
        expect(stderr).toStartWith("galley: ");
        if (typeof says === "string") expect(stderr).toContain(says);
        else expect(stderr).toMatch(says);
        expect(await store().ok(["ps", "-aq"])).toBe("");
      });
    }
  });
}

function wordsOf({ home }: Store, flags: string): string[] {
  return flags
    .replaceAll("HOME", home)
    .split(" ")
    .filter(Boolean)
    .map((word) => word.replaceAll("␣", " "));
}
