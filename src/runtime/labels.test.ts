import { describe, expect, test } from "bun:test";
import { describeStep } from "../recipe/describe.ts";
import { compileLabels, labelMounts } from "./labels.ts";
import { exec, failure, inOrder, lines, linesOf, shell, start } from "./sample.ts";

const SELINUX = "/sys/fs/selinux/enforce";
const modern = (path: string): boolean => path === SELINUX || path.startsWith("/proc/self/attr/apparmor");
const old = (path: string): boolean => path === SELINUX;

describe("a process's labels", () => {
  test("are written to the process's own files, AppArmor's in its directory where there is one", () => {
    const process = { ...shell, apparmorProfile: "docker-default", selinuxLabel: "u:r:t:s0" };
    const written = (exists: (path: string) => boolean) => compileLabels(process, exists).apply.map(describeStep);
    const selinux = ["keycreate", "exec"].map(
      (file) => `write_file(<labels>, "attr/${file}", "u:r:t:s0", O_WRONLY, 0)`,
    );
    expect(written(modern)).toEqual([
      ...selinux,
      'write_file(<labels>, "attr/apparmor/exec", "exec docker-default", O_WRONLY, 0)',
    ]);
    expect(written(old).at(-1)).toBe('write_file(<labels>, "attr/exec", "exec docker-default", O_WRONLY, 0)');
  });

  test("an SELinux label needs SELinux, as runc says it", () => {
    expect(failure(() => compileLabels({ ...shell, selinuxLabel: "l" }, () => false))).toBe(
      "invalid_argument process.selinuxLabel: selinux label is specified in config, but selinux is disabled or not supported",
    );
  });

  test("go through the host's /proc, before the keyring and the credentials, of a container and of an exec", () => {
    const first = lines(start({ process: { apparmorProfile: "p" } }));
    inOrder(first, "labels = open_proc()", "pivot_root", "write_file(<labels>", "keyctl", "setresuid");
    const added = lines(exec({ apparmorProfile: "p" }));
    inOrder(added, "labels = open_proc()", "setns(<container>", "write_file(<labels>", "setresuid");
    expect(lines(start()).some((line) => line.includes("labels"))).toBe(false);
  });
});

describe("linux.mountLabel", () => {
  test("is the context of new file systems, but of binds and the kernel's own", () => {
    const mounts = [
      { destination: "/tmp", type: "tmpfs", options: ["nosuid"] },
      { destination: "/proc", type: "proc" },
      { destination: "/data", source: "/", options: ["rbind"] },
    ];
    expect(labelMounts(mounts, "l:s0:c1,c2").map(({ options }) => options)).toEqual([
      ["nosuid", 'context="l:s0:c1,c2"'],
      undefined,
      ["rbind"],
    ]);
    const recipe = start({ mounts: mounts.slice(0, 2), linux: { mountLabel: "l:s0:c1,c2" } });
    expect(linesOf(recipe, "mounts[0]")).toContain('fsconfig_string(<filesystem>, "context", "l:s0:c1,c2")');
  });

  test("is that of message queues, which have no option for it, and of what masks directories", () => {
    const mounts = [{ destination: "/dev/mqueue", type: "mqueue" }];
    const labelled = lines(start({ mounts, linux: { mountLabel: "l", maskedPaths: ["/sys/firmware"] } }));
    inOrder(labelled, 'fsopen("mqueue"', 'label_mount(<mount>, "l")', "move_mount", 'label_masks("l")', "mask_path(");
    const plain = lines(start({ mounts, linux: { maskedPaths: ["/sys/firmware"] } }));
    expect(plain.filter((line) => line.startsWith("label_"))).toEqual([]);
  });
});
