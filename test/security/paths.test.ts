/** Attacks by links: what an image, or a volume that two containers share, puts where the runtime is about to mount or to make something. */
import { describe, expect } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { linuxVocabulary } from "../../src/linux/vocabulary.ts";
import { CWD, resolveKind } from "../../src/recipe/ops.ts";
import { step } from "../../src/recipe/recipe.ts";
import { flag, slot } from "../../src/runtime/slots.ts";
import { findProblems } from "../../src/spec/validate/validate.ts";
import { Box, type BoxOptions } from "../runtime/box.ts";
import { all, attack, before, is, replacing, Victim, without } from "./attack.ts";

const cause = "attack";
const FROM_EMPTY = flag.MOVE_MOUNT_F_EMPTY_PATH;

describe("a mount's destination that leads out of the root (CVE-2021-30465, CVE-2024-45310)", () => {
  const mounts = (volume: Victim) => [
    { destination: "/data/deep", type: "bind", source: volume.path, options: ["rbind"] },
  ];
  const image = (victim: Victim) => (folder: string) =>
    symlinkSync(`../../../../../../../..${victim.path}`, `${folder}/data`);

  attack("by its path: made and mounted on the host", async () => {
    using victim = new Victim();
    using volume = new Victim();
    const at = (box: string): string => `${box}/root/data/deep`;
    let place = "";
    await using box = new Box("true", {
      mounts: mounts(volume),
      image: image(victim),
      change: (recipe) =>
        all(
          replacing("inside", (one) =>
            is("resolve_like", "/data/deep")(one) ? [step("make_dirs", [place, 0o755], { cause })] : undefined,
          ),
          replacing("inside", (one) =>
            is("move_mount", "/data/deep")(one)
              ? [step("move_mount", [slot.mount, "", CWD, place, FROM_EMPTY], { cause })]
              : undefined,
          ),
        )(recipe),
    });
    place = at(box.folder.path);
    await box.run();
    expect(victim.isUntouched()).toBe(false);
  });

  attack("below the root by descriptor: the host has nothing of it", async () => {
    using victim = new Victim();
    using volume = new Victim();
    await using box = new Box("cat /data/deep/file", { mounts: mounts(volume), image: image(victim) });
    expect((await box.run()).out).toBe("untouched");
    expect(victim.isUntouched()).toBe(true);
  });

  attack("swapped again and again while containers start: the host has nothing of it", async () => {
    using victim = new Victim();
    using volume = new Victim();
    const image = (folder: string): void => {
      mkdirSync(`${folder}/shared/way`, { recursive: true });
    };
    const swapper = (place: string): string => `
      const fs = require("node:fs");
      const quietly = (f) => { try { f(); } catch {} };
      for (;;) {
        quietly(() => fs.rmSync("${place}", { recursive: true }));
        quietly(() => fs.symlinkSync("${victim.path}", "${place}"));
        quietly(() => fs.unlinkSync("${place}"));
        quietly(() => fs.mkdirSync("${place}"));
      }`;
    const outcomes = new Set<string>();
    for (let round = 0; round < 25; round++) {
      await using box = new Box("true", {
        image,
        mounts: [{ destination: "/shared/way/deep", type: "bind", source: volume.path, options: ["rbind"] }],
      });
      const place = box.folder.at("own", "shared", "way");
      const child = Bun.spawn([process.execPath, "-e", swapper(place)], { stdio: ["ignore", "ignore", "ignore"] });
      const refused = await box.tryStart();
      outcomes.add(refused?.errno ?? "started");
      if (refused === undefined) await box.ended();
      child.kill("SIGKILL");
      await child.exited;
      expect(victim.isUntouched()).toBe(true);
      expect(box.leftovers()).toEqual([]);
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });
});

describe("/proc of the image is a link (CVE-2019-19921, CVE-2023-27561, CVE-2023-28642)", () => {
  const image = (folder: string): void => {
    for (const name of ["a", "b"]) mkdirSync(`${folder}/${name}`);
    symlinkSync("a", `${folder}/proc`);
  };
  /** The other container swaps the link once procfs is mounted and before its paths are masked. */
  const swap = before("inside", is("readonly_path"), [
    step("unlinkat", [slot.root, "proc", 0], { cause }),
    step("symlinkat", ["b", slot.root, "proc"], { cause }),
  ]);
  const look =
    "cat /a/sys/kernel/hostname; grep -c ' /a/' /a/mounts; echo owned > /a/sys/kernel/domainname; cat /a/sys/kernel/domainname";

  attack("followed: it lies unmasked and writable where the paths to be masked do not lead", async () => {
    const follow = replacing("inside", (one) =>
      is("openat", "on /proc): must be")(one)
        ? [step("resolve", [slot.root, "/proc", resolveKind.directory, 0o755], { out: slot.target, cause })]
        : undefined,
    );
    await using box = new Box(look, { image, change: all(follow, swap) });
    expect((await box.run()).out).toBe("box\n0\nowned\n");
  });

  attack("not followed: refused, and nothing is left", async () => {
    await using box = new Box(look, { image, change: swap });
    expect(await box.tryStart()).toMatchObject({
      op: "openat",
      errno: "ENOTDIR",
      cause: expect.stringContaining("/proc"),
    });
    expect(box.leftovers()).toEqual([]);
  });
});

describe("a volume over /proc (CVE-2019-16884)", () => {
  /** What the runtime, or a program that the container trusts, would take for its own attributes. */
  const volume = (victim: Victim) => {
    mkdirSync(victim.at("attr"));
    writeFileSync(victim.at("attr/current"), "unconfined");
    return { type: "bind", source: victim.path, options: ["rbind"] };
  };
  const look = "cat /proc/self/attr/current /way/attr/current";
  const link = (folder: string): void => symlinkSync("/proc/self", `${folder}/way`);
  const unguarded = replacing("inside", (one) => (is("verify", "mounts")(one) ? [] : undefined));

  attack("mounted: it speaks for the kernel", async () => {
    using victim = new Victim();
    const mounts = [{ destination: "/way", ...volume(victim) }];
    await using box = new Box(look, { image: link, mounts, change: unguarded });
    expect((await box.run()).out).toContain("unconfined");
  });

  for (const [what, destination] of [
    ["by its name", "/proc"],
    ["in it", "/proc/self"],
    ["through a link", "/way"],
  ] as const) {
    attack(`refused ${what}, and nothing is left`, async () => {
      using victim = new Victim();
      const mounts = [{ destination, ...volume(victim) }];
      await using box = new Box(look, { image: link, mounts });
      expect(await box.tryStart()).toMatchObject({ op: "verify", cause: expect.stringContaining("must ") });
      expect(box.leftovers()).toEqual([]);
      const problems = findProblems(box.config, { vocabulary: linuxVocabulary() });
      expect(problems.map(({ field }) => field)).toEqual(what === "in it" ? ["mounts[6].destination"] : []);
    });
  }
});

describe("/dev/null becomes a link before paths are masked with it (CVE-2025-31133)", () => {
  const swap = before("inside", is("mask_path"), [
    step("unlinkat", [slot.root, "dev/null", 0], { cause }),
    step("symlinkat", ["/proc/sys/kernel/domainname", slot.root, "dev/null"], { cause }),
  ]);
  const linux: BoxOptions["linux"] = { maskedPaths: ["/proc/keys"] };
  const write = "echo owned > /proc/keys; cat /proc/keys; echo x > /proc/sys/kernel/domainname";

  attack("followed: a file of /proc/sys that is to be read-only is written to", async () => {
    const clone = flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_EMPTY_PATH;
    const naive = [
      step("resolve", [slot.root, "/proc/sys/kernel/domainname", resolveKind.existing, 0], { out: "null", cause }),
      step("open_tree", ["null", "", clone], { out: slot.mount, cause }),
      step("mount_setattr", [slot.mount, "", flag.AT_EMPTY_PATH, new Uint8Array(32).fill(1, 8, 9)], { cause }),
      step("resolve", [slot.root, "/proc/keys", resolveKind.existing, 0], { out: slot.target, cause }),
      step("move_mount", [slot.mount, "", slot.target, "", FROM_EMPTY | flag.MOVE_MOUNT_T_EMPTY_PATH], { cause }),
    ];
    const mask = replacing("inside", (one) => (is("mask_path")(one) ? naive : undefined));
    await using box = new Box(write, { linux, change: all(swap, mask), input: { openStdin: true } });
    const { out, err } = await box.run();
    expect(out).toBe("owned\n");
    expect(err).toContain("Read-only file system");
  });

  attack("verified by its device number: refused, and nothing is left", async () => {
    await using box = new Box(write, { linux, change: swap });
    expect(await box.tryStart()).toMatchObject({
      op: "mask_path",
      errno: "ENODEV",
      cause: "linux.maskedPaths[0] (/proc/keys)",
    });
    expect(box.leftovers()).toEqual([]);
  });
});

describe("/dev/console and the terminal (CVE-2025-52565)", () => {
  const process = { terminal: true };
  /** What a container that shares /dev/pts would put there. */
  const swap = before("inside", is("resolve", "/dev/console"), [
    step("symlinkat", ["/proc/sys/kernel/domainname", slot.root, "dev/pts-0"], { cause }),
  ]);

  attack("a terminal found by its path: the console is another file, and writable", async () => {
    const naive = replacing("inside", (one) =>
      is("open_tree", "/dev/console")(one)
        ? [
            step("resolve", [slot.root, "/dev/pts-0", resolveKind.existing, 0], { out: "pts", cause }),
            step("open_tree", ["pts", "", flag.OPEN_TREE_CLONE | flag.OPEN_TREE_CLOEXEC | flag.AT_EMPTY_PATH], {
              out: slot.mount,
              cause,
            }),
          ]
        : undefined,
    );
    await using box = new Box("echo owned > /dev/console; cat /proc/sys/kernel/domainname", {
      process,
      change: all(swap, naive),
    });
    expect((await box.run()).out).toContain("owned");
  });

  attack("a terminal by its master's descriptor: the console is it", async () => {
    await using box = new Box(
      "echo shown > /dev/console; cat /proc/sys/kernel/domainname; stat -c %t:%T /dev/console",
      {
        process,
        change: swap,
      },
    );
    const { out } = await box.run();
    expect(out).toContain("shown");
    expect(out).not.toContain("owned");
    expect(out).toMatch(/\n88:\w+/);
  });

  attack("a master that the image has made: refused, and nothing is left", async () => {
    await using box = new Box("true", {
      process,
      without: ["/dev", "/dev/pts", "/dev/shm"],
      linux: { maskedPaths: [] },
      image: (folder) => {
        mkdirSync(`${folder}/dev/pts`, { recursive: true });
        writeFileSync(`${folder}/dev/pts/ptmx`, "");
      },
    });
    expect(await box.tryStart()).toMatchObject({ op: "open_ptmx", errno: "ENODEV", cause: "process.terminal" });
    expect(box.leftovers()).toEqual([]);
  });
});

describe("the root's outside by a working directory (CVE-2024-21626)", () => {
  const leak = (victim: Victim) =>
    before("inside", is("fchdir"), [
      step("openat", [CWD, victim.path, flag.O_RDONLY | flag.O_DIRECTORY, 0], { out: "leak", cause }),
    ]);
  const here = (fd: number) => ({ cwd: `/proc/self/fd/${fd}` });
  const made = without("inside", ["resolve"], "process.cwd");
  const fds = Array.from({ length: 20 }, (_, index) => index + 3);

  attack("not checked: a directory of the host that was left open is it", async () => {
    using victim = new Victim();
    const seen: string[] = [];
    for (const fd of fds) {
      const change = all(leak(victim), made, without("inside", ["check_cwd", "close_range"]));
      await using box = new Box("cat file", { process: here(fd), change });
      if ((await box.tryStart()) === undefined) seen.push((await box.ended()).out);
    }
    expect(seen).toContain("untouched");
  });

  attack("checked: refused, although the directory is open", async () => {
    using victim = new Victim();
    for (const fd of fds) {
      await using box = new Box("cat file", { process: here(fd), change: all(leak(victim), made) });
      const refused = await box.tryStart();
      if (refused === undefined) expect((await box.ended()).out).toBe("");
      else expect(refused.cause).toBe("process.cwd");
      expect(box.leftovers()).toEqual([]);
    }
  });
});
