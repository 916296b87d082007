/** What `checkpoint` and `restore` share. */
import { join } from "node:path";
import type { CriuFlags } from "../../runtime/criu/options.ts";
import type { FlagValues } from "../flags/flag.ts";
import { bool, list, string } from "../flags/kinds.ts";

export const criuFlags = {
  "image-path": string({ usage: "Path to CRIU's image files (default: checkpoint in the current directory)" }),
  "work-path": string({ usage: "Path for work files and logs" }),
  "tcp-established": bool({ usage: "Allow open TCP connections" }),
  "ext-unix-sk": bool({ usage: "Allow external unix sockets" }),
  "shell-job": bool({ usage: "Allow shell jobs" }),
  "file-locks": bool({ usage: "Handle file locks, for safety" }),
  "lazy-pages": bool({ usage: "Use userfaultfd to restore memory pages when they are needed" }),
  "auto-dedup": bool({ usage: "Enable automatic deduplication of memory images" }),
  "manage-cgroups-mode": string({ usage: "Cgroups mode: soft, full, strict or ignore (default: CRIU's own)" }),
  "empty-ns": list({ usage: "Create a namespace, but don't restore its properties" }),
};

/** As the library takes them. */
export function criuFlagsOf(flags: FlagValues<typeof criuFlags>): CriuFlags {
  return {
    imagePath: flags["image-path"] || join(process.cwd(), "checkpoint"),
    workPath: flags["work-path"],
    tcpEstablished: flags["tcp-established"],
    extUnixSk: flags["ext-unix-sk"],
    shellJob: flags["shell-job"],
    fileLocks: flags["file-locks"],
    lazyPages: flags["lazy-pages"],
    autoDedup: flags["auto-dedup"],
    manageCgroupsMode: flags["manage-cgroups-mode"],
    emptyNs: flags["empty-ns"],
  };
}
