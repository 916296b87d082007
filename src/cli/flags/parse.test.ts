import { describe, expect, test } from "bun:test";
import { UsageError } from "../usage-error.ts";
import { bool, bytes, cpus, duration, filter, int, list, map, string } from "./kinds.ts";
import { parseFlags } from "./parse.ts";

const flags = {
  all: bool({ short: "a", usage: "" }),
  proxy: bool({ usage: "", initial: true }),
  env: list({ short: "e", usage: "" }),
  interactive: bool({ short: "i", usage: "" }),
  tty: bool({ short: "t", usage: "" }),
  name: string({ usage: "" }),
  publish: list({ short: "p", usage: "" }),
  memory: bytes({ short: "m", usage: "" }),
  swap: bytes({ usage: "", unlimited: true }),
  last: int({ short: "n", usage: "" }),
  interval: duration({ usage: "" }),
  cpus: cpus({ usage: "" }),
  filter: filter({ short: "f", usage: "" }),
  sysctl: map({ usage: "" }),
  network: string({ usage: "" }),
  net: string({ usage: "", aliasOf: "network", hidden: true }),
};

function parse(...argv: string[]) {
  return parseFlags(flags, argv);
}

describe("flags", () => {
  test("long and short, attached and apart", () => {
    expect(parse("--name", "a").values.name).toBe("a");
    expect(parse("--name=a=b").values.name).toBe("a=b");
    expect(parse("--name=").values.name).toBe("");
    expect(parse("-e", "A=1", "-eB=2", "-e=C=3", "--env=D=4").values.env).toEqual(["A=1", "B=2", "C=3", "D=4"]);
    expect(parse("-p80:80", "-p", "81:81").values.publish).toEqual(["80:80", "81:81"]);
  });

  test("groups of letters, the last with a value", () => {
    const { values } = parse("-itn5", "-ae", "X=1");
    expect([values.interactive, values.tty, values.last, values.all, values.env]).toEqual([
      true,
      true,
      5,
      true,
      ["X=1"],
    ]);
  });

  test("switches take a value only with a sign", () => {
    expect(parse("--proxy=false", "-a=true").values).toMatchObject({ proxy: false, all: true });
    expect(parse("-a", "false")).toMatchObject({ values: { all: true }, args: ["false"] });
  });

  test("arguments between flags, and what follows two dashes", () => {
    expect(parse("x", "-a", "-", "y", "--", "-t", "--")).toMatchObject({
      args: ["x", "-", "y", "-t", "--"],
      values: { all: true, tty: false },
    });
  });

  test("without interspersing the first argument ends the flags", () => {
    const parsed = parseFlags(flags, ["-t", "image", "ls", "-a", "--", "x"], { interspersed: false });
    expect(parsed.args).toEqual(["image", "ls", "-a", "--", "x"]);
    expect(parsed.values).toMatchObject({ tty: true, all: false });
  });

  test("a value may look like a flag", () => expect(parse("--name", "-a").values.name).toBe("-a"));

  test("sizes, times and numbers", () => {
    const { values } = parse("-m", "512m", "--swap=-1", "--interval", "1m30s", "--cpus", "1.5", "--last=-1");
    expect(values).toMatchObject({ memory: 512 * 2 ** 20, swap: -1, interval: 90e9, cpus: 1.5e9, last: -1 });
  });

  test("filters and maps gather", () => {
    expect(parse("-f", "status=up", "-f", "label=a=b", "-f", "status=down").values.filter).toEqual({
      status: ["up", "down"],
      label: ["a=b"],
    });
    expect(parse("--sysctl", "a.b=1", "--sysctl", "a.b=2", "--sysctl", "c=").values.sysctl).toEqual({
      "a.b": "2",
      c: "",
    });
  });

  test("an alias sets the flag that it stands for", () => {
    const parsed = parse("--net", "host");
    expect(parsed.values.network).toBe("host");
    expect([...parsed.changed]).toEqual(["network"]);
  });
});

const mistakes: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["--badflag"], "unknown flag: --badflag"],
  [["-aZ"], "unknown shorthand flag: 'Z' in -aZ"],
  [["--name"], "flag needs an argument: --name"],
  [["-m"], "flag needs an argument: 'm' in -m"],
  [["--memory=abc"], 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
  [["-m", "-5"], 'invalid argument "-5" for "-m, --memory" flag: invalid size: \'-5\''],
  [["--memory=1zb"], 'invalid argument "1zb" for "-m, --memory" flag: invalid suffix: \'zb\''],
  [["--all=maybe"], 'invalid argument "maybe" for "-a, --all" flag: it takes true or false'],
  [["-n", "x"], 'invalid argument "x" for "-n, --last" flag: it takes a whole number'],
  [["-f", "x"], 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'],
  [["--cpus", "x"], 'invalid argument "x" for "--cpus" flag: failed to parse x as a number of CPUs'],
  [["--=x"], "bad flag syntax: --=x"],
  [["--constructor"], "unknown flag: --constructor"],
];

describe("mistakes", () => {
  for (const [argv, message] of mistakes) {
    test(argv.join(" "), () => {
      expect(() => parse(...argv)).toThrow(UsageError);
      expect(() => parse(...argv)).toThrow(message);
    });
  }
});
