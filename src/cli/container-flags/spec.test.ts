import { describe, expect, test } from "bun:test";
import { parseFlags } from "../flags/parse.ts";
import { UsageError } from "../usage-error.ts";
import { containerFlags } from "./flags.ts";
import { containerSpec, type OptionParsers } from "./spec.ts";

const parsers: OptionParsers = {
  volume: (text) => ({ type: "bind", source: text, target: "/v" }),
  mount: (text) => ({ type: "volume", target: text }),
  tmpfs: (text) => ({ type: "tmpfs", target: text }),
  device: (hostPath) => ({ hostPath, containerPath: hostPath, access: "rwm" }),
  ulimit(name) {
    if (name === "foo") throw new Error("invalid ulimit type: foo");
    return { name, soft: 1, hard: 2 };
  },
  publish: (text) => [{ containerPort: Number(text), protocol: "tcp" }],
  expose: (text) => [`${text}/tcp`],
};

const files: Readonly<Record<string, string>> = {
  "/env": '\ufeff# comment\n\n  A=1\nB=x = "y" \nHOME\nNONE\r\n',
  "/labels": "a=b\nbare\n",
  "/bad": "A B=1",
  "/seccomp": '{"defaultAction":"SCMP_ACT_ALLOW"}',
};

function spec(...argv: string[]) {
  return detachedSpec(false, argv);
}

function detachedSpec(detached: boolean, argv: readonly string[]) {
  const { values, args, changed } = parseFlags(containerFlags, argv, { interspersed: false });
  const readFile = (path: string) => Buffer.from(files[path] ?? "");
  return containerSpec({ values, args, changed, detached }, parsers, { readFile, env: { HOME: "/root" } });
}

describe("a command line", () => {
  test("that says nothing asks for nothing", () => {
    expect(detachedSpec(true, ["busybox"])).toEqual({ image: "busybox" });
  });

  test("without -d asks for the output, for the input with -i, or for what -a names", () => {
    expect(spec("i")).toEqual({ image: "i", attach: ["stdout", "stderr"] });
    expect(spec("-i", "i").attach).toEqual(["stdin", "stdout", "stderr"]);
    expect(spec("-a", "stdout", "i").attach).toEqual(["stdout"]);
    expect(spec("-a", "STDERR", "-i", "i").attach).toEqual(["stdin", "stderr"]);
  });

  test("ends its flags with the image", () => {
    expect(spec("busybox", "ls", "-t", "--rm")).toMatchObject({ image: "busybox", command: ["ls", "-t", "--rm"] });
  });

  test("gives terminal and input", () => {
    expect(spec("-it", "i")).toMatchObject({ tty: true, openStdin: true, stdinOnce: true });
    expect(detachedSpec(true, ["-it", "i"])).toEqual({ image: "i", tty: true, openStdin: true });
  });

  test("tells an empty entry point from none", () => {
    expect(spec("--entrypoint", "", "i").entrypoint).toEqual([]);
    expect(spec("--entrypoint", "/x", "i").entrypoint).toEqual(["/x"]);
    expect(spec("i").entrypoint).toBeUndefined();
  });

  test("joins environment files and variables", () => {
    expect(spec("--env-file", "/env", "-e", "A=2", "-e", "HOME", "-e", "UNSET", "-e", "E=", "i").env).toEqual([
      "A=1",
      'B=x = "y" ',
      "HOME=/root",
      "A=2",
      "HOME=/root",
      "E=",
    ]);
  });

  test("joins label files and labels", () => {
    expect(spec("--label-file", "/labels", "-l", "a=c", "-l", "d", "i").labels).toEqual({ a: "c", d: "" });
  });

  test("limits resources", () => {
    const { resources } = spec(
      "-m",
      "64m",
      "--memory-swap=-1",
      "--cpus",
      ".5",
      "--pids-limit=-1",
      "--cpuset-cpus",
      "0",
      "i",
    );
    expect(resources).toEqual({ memory: 2 ** 26, memorySwap: -1, nanoCpus: 5e8, cpusetCpus: "0" });
    expect(spec("--memory-swappiness=0", "i").resources).toEqual({ memorySwappiness: 0 });
  });

  test("names networks, hosts and ports", () => {
    const request = spec(
      "--net=host",
      "-p80",
      "-p",
      "81",
      "--expose",
      "9",
      "--add-host",
      "a=::1",
      "--dns-opt",
      "x",
      "i",
    );
    expect(request).toMatchObject({
      network: "host",
      ports: [
        { containerPort: 80, protocol: "tcp" },
        { containerPort: 81, protocol: "tcp" },
      ],
      exposed: ["9/tcp"],
      extraHosts: ["a:::1"],
      dnsOptions: ["x"],
    });
    expect(spec("--network", "default", "i").network).toBe("bridge");
  });

  test("keeps mounts in the order of their kinds", () => {
    expect(spec("--tmpfs", "/t", "--mount", "/m", "-v", "/s", "i").mounts).toEqual([
      { type: "bind", source: "/s", target: "/v" },
      { type: "volume", target: "/m" },
      { type: "tmpfs", target: "/t" },
    ]);
  });

  test("restarts", () => {
    expect(spec("--restart", "on-failure:3", "i").restart).toEqual({ name: "on-failure", maxRetries: 3 });
    expect(detachedSpec(true, ["--restart=no", "--rm", "i"])).toEqual({ image: "i", autoRemove: true });
  });

  test("reads a seccomp profile", () => {
    expect(spec("--security-opt", "seccomp=/seccomp", "--security-opt", "seccomp=unconfined", "i").securityOpt).toEqual(
      [`seccomp=${files["/seccomp"]}`, "seccomp=unconfined"],
    );
  });

  test("tells a stop timeout of zero from none", () => expect(spec("--stop-timeout=0", "i").stopTimeout).toBe(0));
});

const mistakes: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["--rm", "--restart", "always"], "conflicting options: cannot specify both --restart and --rm"],
  [["--restart", "foo"], "invalid restart policy: unknown policy 'foo'"],
  [["--restart", "on-failure:x"], "maximum retry count must be an integer"],
  [["--restart", "always:3"], "maximum retry count cannot be used with restart policy 'always'"],
  [["--ulimit", "foo"], 'invalid argument "foo" for "--ulimit" flag: invalid ulimit type: foo'],
  [["--dns", "foo"], 'invalid argument "foo" for "--dns" flag: IP address is not correctly formatted: foo'],
  [["--add-host", "foo"], 'invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"'],
  [["-e", "=x"], 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
  [["--pull", "foo"], 'invalid argument "foo" for "--pull" flag'],
  [["--mac-address", "foo"], "foo is not a valid mac address"],
  [["--memory-swappiness", "101"], "Valid memory swappiness range is 0-100"],
  [["--gpus", "all"], "--gpus is not supported"],
  [["--log-driver", "syslog"], "no log driver named 'syslog'"],
  [["--log-driver", "none", "--log-opt", "a=b"], "invalid logging opts for driver none"],
  [["--network", "a", "--network", "b"], "one network only"],
  [["-a", "foo"], "valid streams are STDIN, STDOUT and STDERR"],
];

describe("contradictions and unknown values", () => {
  for (const [argv, message] of mistakes) {
    test(argv.join(" "), () => {
      expect(() => spec(...argv, "i")).toThrow(UsageError);
      expect(() => spec(...argv, "i")).toThrow(message);
    });
  }

  test("a broken environment file", () => {
    expect(() => spec("--env-file", "/bad", "i")).toThrow(
      "invalid env file (/bad): variable 'A B' contains whitespaces",
    );
  });
});
