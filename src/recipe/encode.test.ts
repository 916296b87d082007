import { describe, expect, test } from "bun:test";
import { decode } from "./decode.ts";
import { describeRecipe, describeStep } from "./describe.ts";
import { encode, stringList } from "./encode.ts";
import { CWD, NONE, ops } from "./ops.ts";
import { type Recipe, step } from "./recipe.ts";

const example: Recipe = {
  sections: {
    outside: [
      step("openat", [CWD, "/etc/héllo", 0o2000000, 0], { out: "file", cause: "a file" }),
      step("clone", [0x20000, NONE, 1], { out: "pidfd", cause: "namespaces" }),
      step("netlink", [0, new Uint8Array([1, 2, 3]), { kind: "interfaceIndex", offset: 20, name: "eth0" }], {
        cause: "address",
        tolerate: [17, 2],
      }),
      step("netlink", [12, new Uint8Array(9), { kind: "slot", offset: 4, slot: "file" }], { cause: "firewall" }),
    ],
    inside: [
      step("prctl", [38, 1, 0, 0, 0xffff_ffff_ffff_ffffn], { cause: "no_new_privs" }),
      step("exec", [stringList(["sh", "-c", ""]), stringList([]), "/bin:/usr/bin"], { cause: "process.args" }),
    ],
    remove: [step("remove_tree", [CWD, "/x"], { cause: "--rm" })],
  },
  shim: {
    stdio: { stdin: "in", stdout: "out" },
    openStdin: true,
    stdinOnce: false,
    socketPath: "/run/s",
    statusPath: "/var/status",
    timingsPath: "/var/timings",
    log: { path: "/var/log", maxSize: 20_000_000_000, maxFiles: 5 },
    restart: { policy: "on-failure", maxRetries: 3 },
    oom: { path: "/sys/fs/cgroup/x/memory.events" },
    attachFd: 3,
  },
};

describe("the recipe encoding", () => {
  test("decodes to the same recipe", () => {
    expect(decode(encode(example))).toEqual(example);
  });

  test("keeps a terminal's shim settings and an eventfd apart from paths", () => {
    const recipe: Recipe = {
      sections: {},
      shim: {
        stdio: { tty: "master" },
        openStdin: false,
        stdinOnce: true,
        socketPath: "/s",
        statusPath: "/t",
        timingsPath: "/u",
        restart: { policy: "always", maxRetries: 0 },
        oom: { slot: "oom" },
      },
    };
    expect(decode(encode(recipe))).toEqual(recipe);
  });

  test("keeps bytes apart that are equal but of other kinds, and aligns them to eight", () => {
    const encoded = encode({
      sections: { inside: [step("sethostname", [new Uint8Array([104, 105])], { cause: "hi" })] },
    });
    const span = new DataView(encoded.buffer).getBigUint64(256 + 16, true);
    expect(Number(span & 0xffffffffn) % 8).toBe(0);
    expect(span >> 32n).toBe(2n);
  });

  test("refuses strings with a NUL byte", () => {
    expect(() => encode({ sections: { outside: [step("chdir", ["/a\0b"], { cause: "x" })] } })).toThrow("NUL");
    expect(() => stringList(["a\0b"])).toThrow("NUL");
  });

  test("refuses a truncated or foreign file", () => {
    const encoded = encode(example);
    expect(() => decode(encoded.subarray(0, encoded.length - 1))).toThrow("truncated");
    expect(() => decode(new Uint8Array(300))).toThrow("no recipe header");
  });
});

describe("operations", () => {
  test("have distinct codes and at most six words of arguments", () => {
    const codes = Object.values(ops).map((spec) => spec.code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const spec of Object.values(ops)) {
      const words = spec.params.reduce((sum, param) => sum + (param.endsWith(":fixup") ? 3 : 1), 0);
      expect(words).toBeLessThanOrEqual(6);
    }
  });
});

describe("the description", () => {
  test("names flags, slots, devices and the cause", () => {
    expect(describeStep(step("fsmount", ["fs", 1, 3], { out: "root", cause: "" }))).toBe(
      "root = fsmount(<fs>, FSOPEN_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID)",
    );
    expect(describeStep(step("mknodat", ["dev", "null", 0o20666, 0x103], { cause: "" }))).toBe(
      'mknodat(<dev>, "null", 020666, 1:3)',
    );
    expect(describeRecipe(example)).toContain("# no_new_privs");
  });

  test("shows when a step began and how long it took", () => {
    const text = describeRecipe(example, { outside: [{ start: 1000, end: 4500 }], inside: [] });
    expect(text.split("\n")[1]).toMatch(/^ +1 +\+3\.5 us {5}0 {2}file = openat/);
  });
});

describe("what the native program would not take is refused with the field behind it", () => {
  const mount = (index: number) =>
    step("umount", [`/${index}`, 0], { cause: `mounts[${index}] (tmpfs on /${index})`, out: `mount.${index}` });

  test("too many steps", () => {
    const inside = [
      step("setsid", [], { cause: "session" }),
      ...Array.from({ length: 8192 }, (_, index) => mount(index)),
    ];
    expect(() => encode({ sections: { inside } })).toThrow(
      expect.objectContaining({
        code: "resource_exhausted",
        subject: "mounts",
        message: expect.stringContaining("8193 steps"),
      }),
    );
    expect(encode({ sections: { inside: inside.map(({ out: _, ...rest }) => rest).slice(1) } }).length).toBeGreaterThan(
      8192 * 64,
    );
  });

  test("too many bytes", () => {
    const inside = [mount(0), step("chdir", ["x".repeat(2 ** 24)], { cause: "process.cwd" })];
    expect(() => encode({ sections: { inside } })).toThrow(
      expect.objectContaining({ code: "resource_exhausted", subject: "process.cwd" }),
    );
  });

  test("too many slots", () => {
    const inside = Array.from({ length: 300 }, (_, index) => mount(index));
    expect(() => encode({ sections: { inside } })).toThrow(
      expect.objectContaining({ code: "resource_exhausted", subject: "mounts[256] (tmpfs on /256)" }),
    );
  });
});
