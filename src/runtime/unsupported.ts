import { existsSync } from "node:fs";
import { GalleyError } from "../errors.ts";
import type { RuntimeConfig } from "../spec/runtime.ts";

/**
 * Throws `unimplemented` for a field that is right but that this runtime does not act on: leaving it out silently would give a
 * container less, or let it do more, than was asked for.
 */
export function refuseUnsupported({ linux }: RuntimeConfig): void {
  if (linux?.intelRdt !== undefined) refuseRdt();
}

/** The kernel has the directory where the processor has the feature; few machines do. */
function refuseRdt(): never {
  if (existsSync("/sys/fs/resctrl")) refuse("linux.intelRdt");
  throw new GalleyError("failed_precondition", "intelRdt is specified in config, but Intel RDT is not enabled", {
    subject: "linux.intelRdt",
    hint: "leave the field out: this kernel has no resctrl",
  });
}

function refuse(field: string): never {
  throw new GalleyError("unimplemented", "is not supported yet", { subject: field, hint: "leave the field out" });
}
