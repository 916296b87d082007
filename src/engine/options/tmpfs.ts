import type { MountRequest } from "../types.ts";
import { invalidOption } from "./invalid.ts";
import { mountTarget } from "./target.ts";

/** Words that a tmpfs takes without a value (mount(8)). */
const words = new Set(
  (
    "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync atime noatime diratime nodiratime relatime norelatime " +
    "strictatime nostrictatime private rprivate shared rshared slave rslave unbindable runbindable mand nomand noswap"
  ).split(" "),
);

/** What follows the equals sign (tmpfs(5)). */
const values: Readonly<Record<string, RegExp>> = {
  size: /^[0-9]+([kKmMgG%]?)$/,
  mode: /^[0-7]{1,5}$/,
  uid: /^[0-9]+$/,
  gid: /^[0-9]+$/,
  nr_inodes: /^[0-9]+[kKmMgG]?$/,
  nr_blocks: /^[0-9]+[kKmMgG]?$/,
  mpol: /^[a-z=:,0-9-]+$/,
  huge: /^(never|always|within_size|advise)$/,
};

/** Reads `--tmpfs`: `TARGET[:OPTIONS]` with the options of tmpfs(5) and mount(8). Throws `invalid_argument`. */
export function parseTmpfs(text: string): MountRequest {
  const at = text.indexOf(":");
  const target = mountTarget(at < 0 ? text : text.slice(0, at), "tmpfs");
  const options =
    at < 0
      ? []
      : text
          .slice(at + 1)
          .split(",")
          .filter(Boolean);
  for (const option of options) checkOption(option);
  return { type: "tmpfs", target, ...(options.length === 0 ? {} : { options }) };
}

function checkOption(option: string): void {
  if (words.has(option)) return;
  const [key = "", value = ""] = option.split(/=(.*)/s);
  const pattern = Object.hasOwn(values, key) ? values[key] : undefined;
  if (pattern?.test(value) === true) return;
  throw invalidOption(
    `invalid tmpfs option ${JSON.stringify(option)}`,
    pattern === undefined ? "tmpfs(5) lists them: size=64m, mode=1777, uid=1000 …" : `${key} takes ${pattern.source}`,
  );
}
