/** Steps about labels and the keyring that has one. What SELinux makes of them is looked at where it is: test/oci/selinux.test.ts. */
import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { E, inNamespaces, O, op, run, Scratch, shell } from "./program.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);
const keys = (name: string, body: () => Promise<void>) => testWith({ root: true, paths: ["/proc/keys"] }, name, body);
const MOVE_FROM_EMPTY = 4;
const LABEL = "galley_test_u:object_r:none_t:s0";

keys("a session keyring is made by its name, and joined where it may be searched", async () => {
  const look = shell("grep -c ' keyring *_ses.galley-test:' /proc/keys; grep ' _ses.galley-test:' /proc/keys");
  const join = (permissions: number) => op("join_keyring", ["_ses.galley-test", permissions]);
  const searched = await run({ outside: [op("clone", [0, "none", 1])], inside: [join(0x3f1b0000), join(0), look] });
  expect(searched.report.failure).toBeUndefined();
  expect(searched.output).toMatch(/^1\n[0-9a-f]+ .* 3f1b0000 /);
});

root("a detached mount's root gets a label", async () => {
  using folder = new Scratch();
  const sys = join(import.meta.dir, "../../src/linux/sys/sys.ts");
  const script = `import { getxattr, openat } from "${sys}"; console.log(new TextDecoder().decode(getxattr(openat(-100, "${folder.path}", 65536, 0), "security.selinux")))`;
  const { report, output } = await inNamespaces(
    0,
    [
      op("fsopen", ["tmpfs", 1], { out: "fs" }),
      op("fsconfig_create", ["fs"]),
      op("fsmount", ["fs", 1, 0], { out: "mount" }),
      op("label_mount", ["mount", LABEL]),
      op("move_mount", ["mount", "", "cwd", folder.path, MOVE_FROM_EMPTY]),
    ],
    `${process.execPath} -e '${script}'`,
  );
  expect(report.failure).toBeUndefined();
  expect(output).toBe(`${LABEL}\0\n`);
});

root("what hides directories is labelled: with what no kernel knows it is refused", async () => {
  using folder = new Scratch();
  mkdirSync(folder.at("hidden"));
  const steps = [
    op("openat", ["cwd", "/", O.path, 0], { out: "root" }),
    op("label_masks", [LABEL]),
    op("mask_path", ["root", "/dev/null"]),
    op("mask_path", ["root", folder.at("hidden")]),
  ];
  const { report } = await inNamespaces(0, steps, "true");
  expect(report.failure).toEqual({ section: "inside", step: 4, errno: E.INVAL });
});
