/** Everything that can be wrong with a bundle: what is said of it, by field and step, and that nothing of it is left. */
import { describe, expect } from "bun:test";
import { GalleyError } from "../../src/errors.ts";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { createContainer } from "../../src/runtime/oci/create.ts";
import { testWith } from "../harness/requirements.ts";
import { native } from "../native/program.ts";
import { type Break, BrokenBundle } from "./broken-bundle.ts";
import { brokenConfigs } from "./broken-configs.ts";
import { brokenResources } from "./broken-resources.ts";
import { brokenStarts } from "./broken-starts.ts";

const needs = { root: true, paths: ["/bin/busybox"] } as const;
const isLegacy = ["v1", "hybrid"].includes(detectCgroups().mode);

/** What the library says, which is what the command prints. */
async function refusal({ root, path, id }: BrokenBundle): Promise<string> {
  const options = { root, native: native(), bundle: path, preserved: 0, noPivot: false, keepKeyring: false };
  try {
    await createContainer(id, { ...options, log: { debug() {}, warn() {} }, console: { kind: "passed" } });
  } catch (failure) {
    if (failure instanceof GalleyError) return failure.describe();
    throw failure;
  }
  throw new Error("the container was made");
}

describe("a configuration is refused before anything is made:", () => {
  for (const [what, change, said, where] of [...brokenConfigs, ...brokenResources]) {
    if (where === "v1" && !isLegacy) continue;
    testWith(needs, what, async () => {
      await using bundle = new BrokenBundle(change);
      expect(bundle.said(await refusal(bundle))).toBe(said);
      expect(bundle.files()).toEqual([]);
    });
  }
});

function failedStart([what, change, said, where]: Break): void {
  if (where === "v1" && !isLegacy) return;
  testWith(needs, what, async () => {
    await using bundle = new BrokenBundle(change);
    const { status, stdout, stderr } = await bundle.run(where === "create" ? "create" : "run", bundle.id);
    expect({ said: bundle.said(stderr), status, stdout }).toEqual({ said, status: 1, stdout: "" });
    expect(bundle.leftovers()).toEqual([]);
  });
}

describe("a start fails, and is undone:", () => {
  for (const row of brokenStarts) failedStart(row);
});

testWith(needs, "a broken configuration is told by the command too, and in its log", async () => {
  await using bundle = new BrokenBundle(({ process }) => {
    process.args = [];
  });
  const log = bundle.folder.at("log");
  const { status, stderr } = await bundle.run("--log", log, "--log-format", "json", "run", bundle.id);
  expect({ status, stderr }).toEqual({ status: 1, stderr: "validate process.args: args must not be empty\n" });
  expect(JSON.parse(await Bun.file(log).text())).toMatchObject({ level: "error", msg: stderr.trim() });
});
