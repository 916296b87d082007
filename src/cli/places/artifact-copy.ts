import { copyImage } from "../../image/copy/copy.ts";
import type { CopyOptions, CopyResult } from "../../image/copy/options.ts";
import type { Destination, Source } from "../../image/transports/place.ts";
import type { FlagSet } from "../flags/flag.ts";
import { bool } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { accessFlags, retryFlags } from "./flags.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** Flags of podman's that `artifact pull` and `artifact push` share. */
export function artifactCopyFlags() {
  return {
    ...accessFlags(),
    quiet: bool({ short: "q", usage: "Suppress output" }),
    ...retryFlags("retry"),
  } satisfies FlagSet;
}

/** Copies an artifact as it is, signed anew by those who are to sign it; a signal ends it in good order. Both places are closed. */
export function copyArtifact(
  signing: Pick<CopyOptions, "signers" | "signAs">,
  open: (signal: AbortSignal) => Promise<{ readonly source: Source; readonly destination: Destination }>,
): Promise<CopyResult> {
  fullSpeed();
  return untilInterrupted(async (signal) => {
    const { source, destination } = await open(signal);
    try {
      return await copyImage(source, destination, { signal, preserveDigests: true, ...signing });
    } finally {
      await destination.close();
      await source.close();
    }
  }, undefined);
}
