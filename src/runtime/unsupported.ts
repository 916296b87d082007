import { GalleyError } from "../errors.ts";
import type { LinuxConfig, ProcessConfig, RuntimeConfig } from "../spec/runtime.ts";

/**
 * Throws `unimplemented` for a field that is right but that this runtime does not act on: leaving it out silently would give a
 * container less, or let it do more, than was asked for.
 */
export function refuseUnsupported({ process, linux }: RuntimeConfig): void {
  if (process !== undefined) refuseInProcess(process);
  if (linux !== undefined) refuseInLinux(linux);
}

/** The process's part of {@link refuseUnsupported}, for an exec. */
export function refuseInProcess(process: ProcessConfig): void {
  if ((process.apparmorProfile ?? "") !== "") refuse("process.apparmorProfile");
  if ((process.selinuxLabel ?? "") !== "") refuse("process.selinuxLabel");
}

function refuseInLinux(linux: LinuxConfig): void {
  if ((linux.mountLabel ?? "") !== "") refuse("linux.mountLabel");
  if (linux.intelRdt !== undefined) refuse("linux.intelRdt");
  if (linux.netDevices !== undefined) refuse("linux.netDevices");
}

function refuse(field: string): never {
  throw new GalleyError("unimplemented", "is not supported yet", { subject: field, hint: "leave the field out" });
}
