import { GalleyError } from "../errors.ts";
import { CWD } from "../recipe/ops.ts";
import { type Step, step } from "../recipe/recipe.ts";
import { utf8 } from "./bytes.ts";
import { flag } from "./slots.ts";

/** Writes to the caller's namespaces through the host's /proc/sys. A name is dotted or slashed (sysctl(8)). */
export function compileSysctls(sysctls: Readonly<Record<string, string>>): Step[] {
  return Object.entries(sysctls).map(([name, value]) => {
    const cause = `linux.sysctl[${name}]`;
    return step("write_file", [CWD, `/proc/sys/${path(name, cause)}`, utf8(value), flag.O_WRONLY, 0], { cause });
  });
}

/** The first separator tells the spelling: in `net/ipv4/conf/eth0.1/forwarding` the dot belongs to a name. */
function path(name: string, cause: string): string {
  const [dot, slash] = [name.indexOf("."), name.indexOf("/")];
  const isSlashed = slash >= 0 && (dot < 0 || slash < dot);
  const parts = isSlashed ? name.split("/") : name.split(".").map((part) => part.replaceAll("/", "."));
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new GalleyError("invalid_argument", "not the name of a sysctl", { subject: cause });
  }
  return parts.join("/");
}
