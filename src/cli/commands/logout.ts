import { GalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { Flags } from "../places/flags.ts";
import { eraseLogin, loginFile, namedFile, registryKey } from "../places/logins.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [REGISTRY]",
  summary: "Log out from a registry",
  flags: {
    all: bool({ short: "a", usage: "Remove the logins for all registries in the file" }),
    authfile: string({ usage: "Path of the file that the login is kept in" }),
    "compat-auth-file": string({ usage: "As --authfile, in docker's format (which all are)" }),
    "tls-verify": bool({ usage: "Accepted; nothing is asked of the registry", hidden: true }),
    "as-skopeo": bool({ usage: "", hidden: true }),
  },
  args: { least: 0, most: 1 },
  async run({ cli, flags: values, args: [registry], changed }) {
    const flags = new Flags(values, changed);
    const skopeo = flags.truth("as-skopeo");
    const path = loginFile(cli.env, namedFile(flags), skopeo);
    if (flags.truth("all")) {
      if (registry !== undefined) throw new UsageError("--all takes no arguments", 1, true);
      await eraseLogin(path, undefined);
      cli.out("Removed login credentials for all registries\n");
      return 0;
    }
    const { key, domain } = registryKey(registry ?? "docker.io");
    const found = await eraseLogin(path, key);
    if (skopeo && !found) throw new GalleyError("not_found", `not logged into ${domain}`, { op: "log out" });
    const done = skopeo ? `Removed login credentials for ${domain}\n` : `Removing login credentials for ${key}\n`;
    cli.out(found || skopeo ? done : `Not logged in to ${domain}\n`);
    return 0;
  },
});
