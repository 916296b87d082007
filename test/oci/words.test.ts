/** What the OCI runtime says of itself and of what it does: help, version, its log. */
import { describe, expect } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { runtimeCommands } from "../../src/cli/runtime/table.ts";
import { galleyProgram } from "../harness/galley.ts";
import { testWith } from "../harness/requirements.ts";
import { OciBundle, runtimeName } from "./oci-bundle.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;

function root(name: string, body: () => Promise<void>): void {
  testWith(needs, name, body, 60_000);
}

describe("help", () => {
  root("of the whole and of a command has the layout that scripts read", async () => {
    await using bundle = new OciBundle("true");
    const all = await bundle.ok("help");
    expect(all).toStartWith(`NAME:\n   ${runtimeName} - Open Container Initiative runtime\n`);
    for (const name of Object.keys(runtimeCommands)) expect(all).toMatch(new RegExp(`^   ${name} +\\S`, "m"));
    expect(await bundle.ok("create", "-h")).toStartWith(`NAME:\n   ${runtimeName} create - `);
    expect(await bundle.ok("help", "kill")).toContain(
      `USAGE:\n   ${runtimeName} kill [command options] <container-id> [signal]`,
    );
    expect((await bundle.run("help", "nosuch")).stderr).toContain("No help topic for 'nosuch'");
  });

  root("and version speak under the name that the program was called by", async () => {
    await using bundle = new OciBundle("true");
    const link = bundle.folder.at("runc");
    symlinkSync(galleyProgram(), link);
    const said = (...args: string[]) => Bun.spawnSync([link, ...args]).stdout.toString();
    expect(said("--help")).toStartWith("NAME:\n   runc - Open Container Initiative runtime\n");
    expect(said("--version")).toMatch(/^runc version \d+\.\d+\.\d+ \(galley .*\)\ncommit: .*\nspec: 1\.3\.0\n$/);
  });
});

describe("the log", () => {
  root("has what is being done with --debug, on standard error or in a file of either format", async () => {
    await using bundle = new OciBundle("exec sleep 1000");
    const { stderr } = await bundle.run("--debug", "run", "-d", bundle.id);
    expect(stderr).toMatch(/^time="[^"]+" level=debug msg="nsexec container setup: \d+ steps outside, \d+ inside"$/m);
    const log = bundle.folder.at("log");
    const quiet = await bundle.run("--debug", "--log", log, "--log-format", "json", "exec", bundle.id, "true");
    expect(quiet.stderr).toBe("");
    const lines = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level }) => level)).toEqual(["debug", "debug", "debug"]);
    expect(lines[2].msg).toBe("setns_init: about to exec");
    expect((await bundle.run("exec", bundle.id, "true")).stderr).toBe("");
  });
});
