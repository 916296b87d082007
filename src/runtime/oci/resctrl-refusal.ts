/** What resctrl said no to, in the words of runc. */
import { errnoText } from "../../linux/errno.ts";
import { readResctrl } from "../../linux/resctrl/files.ts";
import { findResctrl } from "../../linux/resctrl/mount.ts";

export interface RefusedCall {
  readonly op: "mkdirat" | "write_file" | "write_pid";
  readonly path: string;
  /** What was to be written, where that is known. */
  readonly text?: string;
  readonly errno: number;
}

/** With the kernel's own reason, which it keeps until the next command for resctrl; removing a group is none (resctrl.rst, "last_cmd_status"). */
export function resctrlRefusal({ op, path, text = "", errno }: RefusedCall): string {
  const error = errnoText(errno).toLowerCase();
  const status = readResctrl(`${findResctrl()?.path}/info/last_cmd_status`);
  const why = status === undefined ? error : `${error}, last_cmd_status: ${status}`;
  if (op === "mkdirat") return `unable to apply Intel RDT configuration: mkdir ${path}: ${why}`;
  if (op === "write_pid")
    return `unable to apply Intel RDT configuration: intelrdt: unable to add pid: write ${path}: ${why}`;
  return `intelrdt: unable to write ${JSON.stringify(text)}: write ${path}: ${why}`;
}
