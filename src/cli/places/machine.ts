import { hostPlatform } from "../../image/platform.ts";
import type { FlagSet } from "../flags/flag.ts";
import { string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";

/** podman's three flags for what docker says by `--platform`. */
export function machineFlags(): FlagSet {
  return {
    arch: string({ usage: "Use ARCH instead of the architecture of this machine", type: "ARCH" }),
    os: string({ usage: "Use OS instead of linux", type: "OS" }),
    variant: string({ usage: "Use VARIANT instead of the variant of the architecture", type: "VARIANT" }),
  };
}

/** `--platform`, or what the three flags say of it; `undefined` where nothing is said. */
export function machineOf(flags: Flags): string | undefined {
  const whole = flags.text("platform");
  const [os, arch, variant] = [flags.text("os"), flags.text("arch"), flags.text("variant")];
  if (os === undefined && arch === undefined && variant === undefined) return whole;
  if (whole !== undefined)
    throw new UsageError("--platform option can not be specified with --arch, --os or --variant", 1, true);
  return [os ?? "linux", arch ?? hostPlatform().architecture, variant].filter(Boolean).join("/");
}
