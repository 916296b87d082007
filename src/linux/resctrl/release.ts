import { AT_FDCWD } from "../sys/flags.ts";
import { rmdirat } from "../sys/names.ts";
import { readResctrl } from "./files.ts";
import type { ResctrlGroup } from "./group.ts";

/** Removes the class of service that a failed creation had made for itself, unless somebody has joined it meanwhile. */
export function releaseGroup({ group, isNew }: ResctrlGroup): void {
  if (!isNew || readResctrl(`${group}/tasks`) !== "") return;
  try {
    rmdirat(AT_FDCWD, group);
  } catch {
    // What was the container's alone has gone already.
  }
}
