/** What the table-driven tests of the rules share. Not a part of validation itself. */
import type { LinuxConfig, ProcessConfig, ResourcesConfig, RuntimeConfig, SeccompConfig } from "../runtime.ts";
import { checks } from "./checks.ts";
import type { ValidationContext, Vocabulary } from "./problem.ts";

/** A small world of names. */
export const vocabulary: Vocabulary = {
  isCapability: (name) => name === "CAP_CHOWN" || name === "CAP_KILL",
  isRlimit: (type) => type === "RLIMIT_NOFILE" || type === "RLIMIT_CORE",
  isMountWord: (option) => ["bind", "rbind", "ro", "nosuid", "idmap", "ridmap"].includes(option),
  seccompActions: ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_NOTIFY"],
  seccompOperators: ["SCMP_CMP_EQ"],
  seccompArchitectures: ["SCMP_ARCH_X86_64"],
  seccompFlags: ["SECCOMP_FILTER_FLAG_LOG"],
};

const shell: ProcessConfig = { args: ["sh"], cwd: "/", user: { uid: 0, gid: 0 } };

/** A configuration that keeps every rule. */
export const base: RuntimeConfig = {
  ociVersion: "1.2.1",
  root: { path: "rootfs" },
  process: shell,
  linux: {
    namespaces: [{ type: "mount" }, { type: "uts" }, { type: "ipc" }, { type: "network" }, { type: "pid" }],
  },
};

/** The base with a part of its process replaced. */
export const process = (part: Partial<ProcessConfig>): RuntimeConfig => ({
  ...base,
  process: { ...shell, ...part },
});
/** The base with a part of its Linux section replaced. */
export const linux = (part: Partial<LinuxConfig>): RuntimeConfig => ({ ...base, linux: { ...base.linux, ...part } });
/** The base with resources. */
export const resources = (part: ResourcesConfig): RuntimeConfig => linux({ resources: part });
/** The base with a seccomp section. */
export const seccomp = (part: Partial<SeccompConfig>): RuntimeConfig =>
  linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", ...part } });
/** The base with mounts. */
export const mount = (...mounts: NonNullable<RuntimeConfig["mounts"]>): RuntimeConfig => ({ ...base, mounts });
/** A line of an ID map. */
export const map = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
/** A new user namespace. */
export const user = { type: "user" } as const;

/** What a row changes in the context. */
export type Context = Partial<ValidationContext>;
/** Rule, configuration, what it finds as `field: part of the message` (a warning begins with `~`), context. */
export type Row = readonly [keyof typeof checks & string, RuntimeConfig, readonly string[], Context?];

/** What a rule finds for a row, one line each, as the row writes it but with whole messages. */
export function findings([name, config, , context = {}]: Row): string[] {
  const found = checks[name]?.(config, { vocabulary, ...context }) ?? [];
  return found.map(({ severity, field, message }) => `${severity === "warning" ? "~" : ""}${field}: ${message}`);
}

/** Whether a finding is what a row expects: the end of the field and a part of the message, or the latter alone. */
export function matches(finding: string, expected: string): boolean {
  const [field = "", message = ""] = finding.split(/: (.*)/s);
  const [place = "", part] = expected.split(/: (.*)/s);
  if (part === undefined) return message.includes(place);
  return (
    message.includes(part) &&
    field.replace("~", "").endsWith(place.replace("~", "")) &&
    field.startsWith("~") === place.startsWith("~")
  );
}

/** Rules that no row breaks. */
export function unbroken(names: readonly string[], rows: readonly Row[]): string[] {
  const broken = new Set(rows.filter(([, , expected]) => expected.length > 0).map(([name]) => name));
  return names.filter((name) => !broken.has(name));
}
