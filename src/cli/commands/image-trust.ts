import { readFileSync } from "node:fs";
import { parseReference } from "../../image/reference.ts";
import { changePolicy, type TrustChange } from "../../image/trust/edit-policy.ts";
import { Gpg } from "../../image/trust/gpg.ts";
import type { KeySource, Policy, Requirement } from "../../image/trust/policy.ts";
import { loadPolicy, policyFile } from "../../image/trust/policy-file.ts";
import { signatureStorage } from "../../image/trust/registries-d.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, list, string } from "../flags/kinds.ts";
import { alignTabs } from "../format/tabwriter.ts";
import { goDocument } from "../places/go-document.ts";
import { UsageError } from "../usage-error.ts";

const types = ["signedBy", "sigstoreSigned", "accept", "reject"] as const;

export const command = defineCommand({
  usage: "show [OPTIONS] [REGISTRY] | set [OPTIONS] REGISTRY",
  summary: "Show or set the trust policy",
  flags: {
    json: bool({ short: "j", usage: "Output as json (show)" }),
    noheading: bool({ short: "n", usage: "Do not print column headings (show)" }),
    raw: bool({ usage: "Output the policy's file as it is (show)" }),
    pubkeysfile: list({ short: "f", usage: "Path of a public key that must have signed (set)", type: "stringArray" }),
    type: string({ short: "t", usage: `Trust type: ${types.join(", ")} (set)`, initial: "signedBy" }),
    policypath: string({ usage: "Path of the policy", hidden: true }),
    registrypath: string({ usage: "Directory of registries.d", hidden: true }),
  },
  args: { least: 1, most: 2 },
  async run({ cli, flags, args: [verb, registry] }) {
    if (verb === "set") {
      const type = types.find((one) => one === flags.type);
      if (registry === undefined) throw new UsageError("'galley image trust set' requires 1 argument", 1);
      if (type === undefined)
        throw new UsageError(`invalid choice: ${flags.type} (choose from ${types.join(", ")})`, 1, true);
      set(cli, flags.policypath, { scope: registry, type, keys: flags.pubkeysfile });
      return 0;
    }
    if (verb !== "show")
      throw new UsageError(`unknown command ${JSON.stringify(verb)} for "galley image trust"`, 1, true);
    const loaded = loadPolicy(cli.env, flags.policypath || undefined);
    if (loaded === undefined) cli.err("There is no policy.json: every image is accepted.\n");
    else if (flags.raw) cli.out(readFileSync(loaded.file, "utf8"));
    else await show(cli, loaded.policy, registry, flags);
    return 0;
  },
});

/** root sets the host's policy, anyone else their own. */
function set(cli: Cli, named: string, change: TrustChange): void {
  const own = `${cli.env.HOME ?? ""}/.config/containers/policy.json`;
  const usual = policyFile(cli.env) ?? (process.geteuid?.() === 0 ? "/etc/containers/policy.json" : own);
  changePolicy(named || usual, change);
}

interface Row {
  readonly transport: string;
  readonly name: string;
  readonly repo_name: string;
  readonly type: string;
  readonly sigstore?: string;
  readonly gpg_id?: string;
}

async function show(
  cli: Cli,
  policy: Policy,
  only: string | undefined,
  flags: { readonly json: boolean; readonly noheading: boolean; readonly registrypath: string },
): Promise<void> {
  const rows: Row[] = [];
  const directory = flags.registrypath || undefined;
  const scopes = Object.entries(policy.transports).sort(([a], [b]) => (a < b ? -1 : 1));
  if (only === undefined) for (const one of policy.default) rows.push(await row("all", "default", one, cli, directory));
  for (const [transport, byScope] of scopes) {
    for (const [scope, requirements] of Object.entries(byScope).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (only !== undefined && scope !== only) continue;
      const shown = transport === "docker" ? "repository" : transport;
      for (const one of requirements) rows.push(await row(shown, scope, one, cli, directory));
    }
  }
  if (flags.json) return cli.out(goDocument(rows));
  const heading = flags.noheading ? [] : ["TRANSPORT\tNAME\tTYPE\tID\tSTORE"];
  const lines = rows.map((one) =>
    [one.transport, one.repo_name, one.type, one.gpg_id ?? "", one.sigstore ?? ""].join("\t"),
  );
  cli.out(`${alignTabs([...heading, ...lines].join("\n"), { least: 12, padding: 2 })}\n`);
}

const names: Readonly<Record<string, string>> = {
  insecureAcceptAnything: "accept",
  signedBy: "signed",
};

async function row(
  transport: string,
  scope: string,
  requirement: Requirement,
  cli: Cli,
  directory: string | undefined,
): Promise<Row> {
  const { type } = requirement;
  const signed = type === "signedBy" || type === "sigstoreSigned";
  const store = signed && transport === "repository" ? storeOf(cli, scope, directory) : undefined;
  const id = type === "sigstoreSigned" ? "N/A" : type === "signedBy" ? await keyNames(requirement.keys) : undefined;
  return {
    transport,
    name: transport === "all" ? "* (default)" : scope,
    repo_name: scope,
    type: names[type] ?? type,
    ...(store === undefined ? {} : { sigstore: store }),
    ...(id === undefined || id === "" ? {} : { gpg_id: id }),
  };
}

/** Where signatures of a scope are; a wildcard is no name to ask for. */
function storeOf(cli: Cli, scope: string, directory: string | undefined): string | undefined {
  if (scope.startsWith("*") || scope === "") return undefined;
  const reference = parseReference(scope.includes("/") ? scope : `${scope}/any`);
  return signatureStorage(reference, cli.env, directory).read;
}

/** The e-mail addresses of keys, or else their fingerprints; nothing of files that are not there. */
async function keyNames(keys: KeySource): Promise<string> {
  try {
    const bytes = "data" in keys ? keys.data : keys.paths.map((path) => readFileSync(path));
    const gpg = await Gpg.ofKeys(bytes);
    try {
      return (await gpg.users()).join(", ");
    } finally {
      gpg.close();
    }
  } catch {
    return "";
  }
}
