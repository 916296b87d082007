/** Attacks on what a container has, or is told, beyond what was asked for. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { linuxVocabulary } from "../../src/linux/vocabulary.ts";
import { CWD } from "../../src/recipe/ops.ts";
import { type Step, step } from "../../src/recipe/recipe.ts";
import { compileStart } from "../../src/runtime/compile-start.ts";
import { flag } from "../../src/runtime/slots.ts";
import { findProblems } from "../../src/spec/validate/validate.ts";
import { native } from "../native/program.ts";
import { OciBundle } from "../oci/oci-bundle.ts";
import { Box, HostProgram, usualMounts } from "../runtime/box.ts";
import { all, attack, before, is, replacing, without } from "./attack.ts";

const cause = "attack";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the runtime's own program (CVE-2019-5736)", () => {
  const digest = (path: string): string => Bun.hash(readFileSync(path)).toString();

  attack(
    "a file of the host that the container executes: it is overwritten when nobody executes it any more",
    async () => {
      using host = new HostProgram();
      const program = host.at("true");
      const before5736 = digest(program);
      const command = "exec 9</proc/self/exe; exec /bin/sh -c 'echo owned >/proc/self/fd/9'";
      for (let fd = 3; fd < 20 && digest(program) === before5736; fd++) {
        await using box = new Box(["/own/busybox", "sh", "-c", command], {
          image: (folder) => {
            mkdirSync(`${folder}/own`);
            symlinkSync(`/proc/self/fd/${fd}`, `${folder}/own/busybox`);
          },
          change: before("inside", is("fchdir"), [
            step("openat", [CWD, program, flag.O_RDONLY | flag.O_CLOEXEC, 0], { out: "program", cause }),
          ]),
        });
        if ((await box.tryStart()) === undefined) await box.ended();
      }
      expect(readFileSync(program, "utf8")).toBe("owned\n");
    },
  );

  attack("is a sealed copy in memory, which not even who may trace it can write to", async () => {
    const mine = native();
    const before5736 = digest(mine);
    const all = ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"];
    const capabilities = { bounding: all, effective: all, permitted: all };
    // The first process is the runtime's program itself, which waits for a recipe.
    await using box = new Box(["/proc/self/exe", "run", "-"], { input: { openStdin: true } });
    await box.start();
    const look = "readlink /proc/1/exe; exec 9</proc/1/exe && echo opened; echo owned >/proc/self/fd/9";
    const refused = await box.exec(look);
    expect(refused).toMatchObject({ out: "" });
    const traced = await box.exec(look, { capabilities });
    expect(traced).toMatchObject({ out: "/memfd:galley-native (deleted)\nopened\n" });
    expect((traced as { err: string }).err).toMatch(/Text file busy|Operation not permitted/);
    expect(digest(mine)).toBe(before5736);
  });
});

describe("inheritable capabilities (CVE-2022-24769, CVE-2022-29162, CVE-2022-27650)", () => {
  const look = "grep -E '^Cap(Inh|Prm)' /proc/self/status";

  attack(
    "given to the process as it gets the others: whoever executes a file with such capabilities has them",
    async () => {
      const inheritable = replacing("inside", (one) => {
        if (!is("capset")(one)) return undefined;
        const [header, data] = one.args as [Uint8Array, Uint8Array];
        const words = new Uint32Array(data.slice().buffer);
        for (const at of [2, 5]) words[at] = words[at - 1] ?? 0;
        return [{ ...one, args: [header, new Uint8Array(words.buffer)] }];
      });
      await using box = new Box(look, { change: inheritable });
      expect((await box.run()).out).toContain("CapInh:\t00000000a80425fb");
    },
  );

  attack("none where none are asked for, at the start and for an exec", async () => {
    await using box = new Box(`${look}; exec sleep 1000`);
    await box.start();
    await box.said("CapPrm");
    expect(box.output().out).toStartWith("CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\n");
    expect(await box.exec(look)).toMatchObject({ out: "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\n" });
  });
});

describe("sysctls", () => {
  /** One text of `name=value` joined by `+`, split where it is written: what a helper program got (CVE-2022-0811). */
  const naive = (sysctls: Readonly<Record<string, string>>): Step[] =>
    Object.entries(sysctls)
      .map(([name, value]) => `${name}=${value}`)
      .join("+")
      .split("+")
      .map((text) => {
        const [name = "", value = ""] = text.split("=");
        return step("write_file", [CWD, `/proc/sys/${name.replaceAll(".", "/")}`, utf8(value), flag.O_WRONLY, 0], {
          cause,
        });
      });
  const sysctl = { "kernel.shm_rmid_forced": "1+kernel.domainname=owned" };
  const look = "cat /proc/sys/kernel/domainname";

  attack("a value that is taken for another setting, by who joins and splits them (CVE-2022-0811)", async () => {
    await using box = new Box(look, { change: before("inside", is("wait", "cgroup"), naive(sysctl)) });
    expect((await box.run()).out).toBe("owned\n");
  });

  attack("a value is a value: refused by its field, and by the kernel where nobody looks", async () => {
    await using box = new Box(look, { linux: { sysctl } });
    const [problem] = findProblems(box.config, { vocabulary: linuxVocabulary() }).filter(
      ({ severity }) => severity === "error",
    );
    expect(problem).toMatchObject({ field: 'linux.sysctl["kernel.shm_rmid_forced"]' });
    expect(await box.tryStart()).toMatchObject({
      op: "write_file",
      errno: "EINVAL",
      cause: "linux.sysctl[kernel.shm_rmid_forced]",
    });
    expect(box.leftovers()).toEqual([]);
  });

  attack("those of the host are refused, however they are written", () => {
    for (const name of [
      "kernel.core_pattern",
      "kernel/core_pattern",
      "kernel.shm_rmid_forced/../core_pattern",
      "vm.panic_on_oom",
      "kernel.modprobe",
      "net..core",
      "fs.mqueue/../../kernel.modprobe",
    ]) {
      const { config } = new Box("true", { linux: { sysctl: { [name]: "1" } } });
      const problems = findProblems(config, { vocabulary: linuxVocabulary() });
      expect(problems.map(({ field }) => field)).toEqual([`linux.sysctl["${name}"]`]);
    }
    return Promise.resolve();
  });

  const image = (folder: string): void => {
    mkdirSync(`${folder}/proc/sys/kernel`, { recursive: true });
    symlinkSync("/tmp/redirected", `${folder}/proc/sys/kernel/shm_rmid_forced`);
    mkdirSync(`${folder}/tmp`);
    writeFileSync(`${folder}/tmp/redirected`, "");
  };
  const set = { linux: { sysctl: { "kernel.shm_rmid_forced": "1" } }, image };
  const redirected = "cat /tmp/redirected";

  attack("written through the container's /proc: the image says where to (CVE-2025-52881)", async () => {
    const late = before("inside", is("try_chdir", "process.cwd"), [
      step("write_file", [CWD, "/proc/sys/kernel/shm_rmid_forced", utf8("1"), flag.O_WRONLY, 0], { cause }),
    ]);
    await using box = new Box(redirected, {
      ...set,
      without: ["/proc"],
      change: all(without("inside", ["write_file"], "linux.sysctl"), late),
    });
    expect((await box.run()).out).toBe("1");
  });

  attack("written through the host's /proc, before the image's is there", async () => {
    await using box = new Box(redirected, { ...set, without: ["/proc"] });
    expect((await box.run()).out).toBe("");
    await using other = new Box("cat /proc/sys/kernel/shm_rmid_forced", { linux: set.linux });
    expect((await other.run()).out).toBe("1\n");
  });
});

describe("the cgroup file system (CVE-2023-25809)", () => {
  const look =
    "for each in /sys/fs/cgroup/*/; do mkdir $each/owned 2>/dev/null && rmdir $each/owned && echo written; done; true";

  attack("not read-only: the container makes cgroups", async () => {
    const mounts = usualMounts.flatMap((one) => (one.type === "cgroup" ? [{ ...one, options: ["nosuid"] }] : []));
    await using box = new Box(look, { without: ["/sys/fs/cgroup"], mounts });
    expect((await box.run()).out).toStartWith("written\n");
  });

  attack("read-only in each hierarchy, and showing the container's own cgroup alone", async () => {
    await using box = new Box(
      `${look}; ls -d /sys/fs/cgroup/*/galley-runtime-test /sys/fs/cgroup/galley-runtime-test 2>/dev/null; true`,
    );
    expect((await box.run()).out).toBe("");
  });
});

describe("sockets (CVE-2020-15257)", () => {
  const linux = { namespaces: (["pid", "ipc", "uts", "mount"] as const).map((type) => ({ type })) };
  const look = "cat /proc/net/unix";

  attack("one without a file is seen, and reached, by a container of the host's network", async () => {
    const server = createServer().listen("\0galley-attack");
    await using box = new Box(look, { linux });
    const { out } = await box.run();
    server.close();
    expect(out).toContain("@galley-attack");
  });

  attack("the shim's is a file, in a directory that is its owner's alone", async () => {
    await using box = new Box(`${look}; exec sleep 1000`, { linux });
    await box.start();
    await box.said("Path");
    const [shim] = (box.status().shim ?? "").split(" ");
    const names = box
      .output()
      .out.split("\n")
      .map((line) => line.split(" ").at(-1) ?? "");
    expect(names.filter((name) => name.endsWith(`/.new-${shim}`)).length).toBe(1);
    expect(names.filter((name) => name.startsWith("@") && name.includes("galley"))).toEqual([]);
    const modeOf = (path: string): number => statSync(path).mode & 0o777;
    expect([modeOf(box.folder.at("run/socket")), modeOf(box.folder.at("run"))]).toEqual([0o600, 0o700]);
    expect(await box.exec(`ls ${box.folder.path} 2>&1`)).toMatchObject({
      out: expect.stringContaining("No such file"),
    });
  });
});

describe("what an image says is data (CVE-2025-23266, CVE-2026-53488)", () => {
  const evil = ["PATH=/bin", "LD_PRELOAD=./evil.so", "LD_AUDIT=./evil.so", "BASH_ENV=./evil.sh"];

  attack("a hook with the image's environment loads the image's library", async () => {
    await using bundle = new OciBundle("true");
    const out = bundle.folder.at("out");
    const hook = { path: "/bin/sh", args: ["sh", "-c", `env > ${out}`], env: evil };
    bundle.configure("true", { process: { env: evil }, hooks: { createContainer: [hook] } });
    await bundle.ok("run", bundle.id);
    expect(readFileSync(out, "utf8")).toContain("LD_PRELOAD=./evil.so");
  });

  attack("hooks beside the container have no environment but their own", async () => {
    await using bundle = new OciBundle("true");
    const out = bundle.folder.at("out");
    const hook = { path: "/bin/sh", args: ["sh", "-c", `env >> ${out}`] };
    const kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
    const hooks = Object.fromEntries(kinds.map((kind) => [kind, [hook]]));
    bundle.configure("true", { process: { env: evil }, hooks });
    await bundle.ok("run", bundle.id);
    const seen = readFileSync(out, "utf8");
    expect(seen).toContain("PWD=");
    for (const name of ["LD_PRELOAD", "LD_AUDIT", "BASH_ENV", "PATH=/bin\n"]) expect(seen).not.toContain(name);
  });

  attack("an annotation or a label starts nothing and changes no step", async () => {
    await using bundle = new OciBundle("true");
    const file = bundle.folder.at("owned");
    const command = `binary:///bin/sh?-c=touch+${file}`;
    const annotations = {
      "containerd.io/restart.loguri": command,
      "containerd.io/restart.status": "running",
      "run.oci.handler": "krun",
      "run.oci.hooks.stderr": file,
      "org.opencontainers.runc.exec.isolated-cpu-affinity-transition": "temporary",
      "org.opencontainers.image.stopSignal": command,
    };
    bundle.configure("true", { annotations });
    await bundle.ok("run", bundle.id);
    expect(existsSync(file)).toBe(false);
    const box = new Box("true");
    const input = { root: { kind: "directory", path: "/r" }, mountPoint: "/m", openStdin: false } as const;
    const recipe = (config: typeof box.config) => JSON.stringify(compileStart({ ...input, config }));
    expect(recipe({ ...box.config, annotations })).toBe(recipe(box.config));
    await box[Symbol.asyncDispose]();
  });
});

describe("a descriptor of the host", () => {
  attack("left open by a step is closed when the command is executed", async () => {
    const leak = before("inside", is("fchdir"), [
      step("openat", [CWD, "/etc", flag.O_RDONLY | flag.O_DIRECTORY, 0], { out: "leak", cause }),
    ]);
    const look = "ls -l /proc/self/fd | grep -c etc";
    for (const change of [leak, all(leak, without("inside", ["close_range"]))]) {
      await using box = new Box(look, { change });
      expect((await box.run()).out).toBe("0\n");
    }
  });
});
