/** What `checkpoint` and `restore` share. */
import { GalleyError } from "../../errors.ts";
import { bool, string } from "../flags/kinds.ts";

export const criuFlags = {
  "image-path": string({ usage: "Path for saving CRIU image files" }),
  "work-path": string({ usage: "Path for saving work files and logs" }),
  "tcp-established": bool({ usage: "Allow open TCP connections" }),
  "ext-unix-sk": bool({ usage: "Allow external unix sockets" }),
  "shell-job": bool({ usage: "Allow shell jobs" }),
  "file-locks": bool({ usage: "Handle file locks, for safety" }),
  "manage-cgroups-mode": string({ usage: "Cgroups mode: soft, full, strict or ignore", initial: "soft" }),
  "empty-ns": string({ usage: "Create a namespace, but do not restore its properties" }),
  "auto-dedup": bool({ usage: "Enable auto deduplication of memory images" }),
};

/** Throws `unimplemented`: a container that were said to be saved and is not would be lost. */
export function refuseCriu(op: string, id: string): never {
  throw new GalleyError("unimplemented", "is not supported yet", {
    op,
    subject: id,
    hint: "runc can checkpoint and restore containers of its own",
  });
}
