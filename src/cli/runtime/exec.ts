import { readFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { execInContainer } from "../../runtime/oci/exec.ts";
import { withContainerDefaults } from "../../runtime/oci/exec-process.ts";
import { type Home, homeOf } from "../../runtime/oci/home.ts";
import { storedConfig, storedState } from "../../runtime/oci/state.ts";
import type { ProcessConfig } from "../../spec/runtime.ts";
import { parseProcess } from "../../spec/validate/validate.ts";
import type { FlagValues } from "../flags/flag.ts";
import { bool, list, string } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";
import { handOver, handOverFlags } from "./process-flags.ts";
import { stay } from "./stay.ts";

const flags = {
  ...handOverFlags,
  "additional-gids": list({ short: "g", usage: "Additional gids" }),
  apparmor: string({ usage: "Set the apparmor profile for the process" }),
  cap: list({ short: "c", usage: "Add a capability to the bounding set for the process" }),
  cgroup: list({ usage: "Run the process in (existing) sub-cgroups, in the form [<controller>:]<cgroup>" }),
  cwd: string({ usage: "Current working directory in the container" }),
  detach: bool({ short: "d", usage: "Detach from the container's process" }),
  env: list({ short: "e", usage: "Set environment variables" }),
  "ignore-paused": bool({ usage: "Allow exec in a paused container" }),
  "no-new-privs": bool({ usage: "Set the no new privileges value for the process" }),
  "no-subreaper": bool({ usage: "", hidden: true }),
  process: string({ short: "p", usage: "Path to the process.json" }),
  "process-label": string({ usage: "Set the asm process label for the process commonly used with selinux" }),
  tty: bool({ short: "t", usage: "Allocate a pseudo-TTY" }),
  user: string({ short: "u", usage: "UID (format: <uid>[:<gid>])" }),
};

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id> <command> [command options] || -p process.json <container-id>",
  summary: "Execute a new process inside the container",
  flags,
  args: { least: 1 },
  interspersed: false,
  // So that it is no status of the process's.
  failureStatus: 255,
  async run({ log, root, native: find, flags: given, args: [id = "", ...words] }) {
    const native = find();
    const home = homeOf(root, id);
    const process = processOf(home, given, words);
    if (!given.detach) (await import("../../linux/sys/become.ts")).becomeSubreaper();
    const options = {
      native,
      log,
      process,
      cgroups: given.cgroup,
      ignorePaused: given["ignore-paused"],
      ...handOver(given, {}, !given.detach),
    };
    const { report, console } = await execInContainer(home, options);
    if (given.detach) return 0;
    return stay({ native, pid: report.pid, console, end: undefined, subreaper: true });
  },
});

/** The process of a file, or the container's own with what the flags change. */
function processOf(home: Home, given: FlagValues<typeof flags>, words: readonly string[]): ProcessConfig {
  storedState(home);
  const base = storedConfig(home).process;
  if (given.process !== "") {
    return withContainerDefaults(parseProcess(readFileSync(given.process, "utf8"), given.process), base);
  }
  if (words.length === 0) throw new GalleyError("invalid_argument", "exec args cannot be empty");
  if (base === undefined)
    throw new GalleyError("invalid_argument", "the container has no process", { subject: home.id });
  const capabilities = withCapabilities(base, given.cap);
  return {
    ...base,
    args: words,
    terminal: given.tty,
    env: [...(base.env ?? []), ...given.env],
    ...(given.cwd === "" ? {} : { cwd: given.cwd }),
    ...(given.apparmor === "" ? {} : { apparmorProfile: given.apparmor }),
    ...(given["process-label"] === "" ? {} : { selinuxLabel: given["process-label"] }),
    ...(given["no-new-privs"] ? { noNewPrivileges: true } : {}),
    ...(capabilities === undefined ? {} : { capabilities }),
    user: userOf(base, given),
  };
}

/** As runc: added to all sets but the inheritable one, and to the ambient one only where something may be inherited. */
function withCapabilities({ capabilities }: ProcessConfig, added: readonly string[]): ProcessConfig["capabilities"] {
  if (added.length === 0) return capabilities;
  const plus = (set: readonly string[] = []): string[] => [...new Set([...set, ...added])];
  const { bounding, effective, permitted, inheritable, ambient } = capabilities ?? {};
  const more = { bounding: plus(bounding), effective: plus(effective), permitted: plus(permitted) };
  return { ...capabilities, ...more, ...(inheritable === undefined ? {} : { ambient: plus(ambient) }) };
}

function userOf({ user }: ProcessConfig, given: FlagValues<typeof flags>): ProcessConfig["user"] {
  const groups = given["additional-gids"].map((text) => numberOf(text, "gid"));
  const additionalGids = [...(user.additionalGids ?? []), ...groups];
  if (given.user === "") return { ...user, additionalGids };
  const [uid = "", gid] = given.user.split(/:(.*)/s, 2);
  return {
    ...user,
    additionalGids,
    uid: numberOf(uid, "uid"),
    gid: gid === undefined ? user.gid : numberOf(gid, "gid"),
  };
}

function numberOf(text: string, what: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new GalleyError("invalid_argument", `bad ${what}: ${JSON.stringify(text)} is no number`, { op: "exec" });
}
