import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { exampleConfig, rootlessConfig } from "../../runtime/oci/example.ts";
import { bool, string } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "[command options]",
  summary: "Create a new specification file",
  flags: {
    bundle: string({ short: "b", usage: "Path to the root of the bundle directory" }),
    rootless: bool({ usage: "Generate a configuration for a rootless container" }),
  },
  args: { least: 0, most: 0 },
  async run({ flags }) {
    const path = join(flags.bundle || ".", "config.json");
    if (existsSync(path)) {
      throw new GalleyError("already_exists", `File config.json exists. Remove it first`, { subject: path });
    }
    const config = flags.rootless ? rootlessConfig() : exampleConfig();
    writeFileSync(path, JSON.stringify(config, undefined, "\t"), { mode: 0o666 });
    return 0;
  },
});
