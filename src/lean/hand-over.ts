/** The whole program does what the lean one does not: it takes our place, with our arguments. */
import { readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GalleyError } from "../errors.ts";

/** By other names the whole program would be a command line. */
function calledName(): string {
  const name = basename(system.argv[0] ?? "");
  return name === "runc" || name === "crun" ? name : "galley-runtime";
}

/** Only before anything was done: it begins anew. */
export function handOver(what: string): never {
  const whole = process.env.GALLEY_PROGRAM || join(dirname(readlinkSync("/proc/self/exe")), "galley");
  const error = system.become(whole, [calledName(), ...system.argv.slice(1)], true);
  throw new GalleyError("unavailable", `cannot execute ${whole}: error ${-error}`, {
    op: what,
    hint: "galley-runtime does this with the program galley, which belongs into the same directory",
  });
}
