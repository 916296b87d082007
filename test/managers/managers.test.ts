/** Real managers drive the runtime: what they print is what they print with runc, and what must come of it in any case. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { lackOf, type ManagerName, SCRIPT_TIMEOUT, Tested } from "./tested.ts";

/** Lines that a script cannot print unless the manager works at all, by its sections. */
const signs: Readonly<Record<ManagerName, readonly string[]>> = {
  // Debian 12's conmon notes an OOM kill where its podman does not look.
  podman: ["hello", "/dev/pts/0", "exited 137 false", "paused 0 false", "exited 5 false", "got words", "status 127"],
  docker: ["hello", "/dev/pts/0", "exited 137 true", "paused 0 false", "exited 5 false", "got words", "unhealthy"],
  containerd: ["hello", "/dev/pts/0", "status 137", "inside", "PAUSED", "STOPPED", "pids.current"],
};

let tested: Tested;
beforeAll(() => {
  tested = new Tested();
}, 300_000);
afterAll(() => tested[Symbol.dispose]());

function cgroupsLeft(): string[] {
  const { v1, v2 } = detectCgroups();
  const places = [...v1, ...(v2 === undefined ? [] : [v2])].map(({ mountPoint }) => mountPoint).filter(existsSync);
  const glob = new Bun.Glob("{.,*}/galley-conformance-*");
  return places.flatMap((cwd) => [...glob.scanSync({ cwd, onlyFiles: false })]);
}

describe.each(["containerd", "docker", "podman"] as const)("%s", (manager) => {
  const lack = lackOf(manager);
  const title = "runs the same script on Galley's runtime and on runc with the same output, and nothing is left";
  if (lack !== undefined) test.skip(`${title} (${lack})`, () => {});
  else
    test(
      title,
      async () => {
        const [own, theirs] = await Promise.all([
          tested.script(manager, tested.runtime),
          tested.script(manager, "runc"),
        ]);
        expect(own).toBe(theirs);
        for (const sign of signs[manager]) expect(own.split(/\r?\n/)).toContain(sign);
        expect(own).not.toContain("in vain");
        expect(cgroupsLeft()).toEqual([]);
      },
      SCRIPT_TIMEOUT,
    );
});
