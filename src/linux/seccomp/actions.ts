/** What a filter returns (uapi/linux/seccomp.h), by the names that OCI took from libseccomp. */
import { GalleyError } from "../../errors.ts";
import { errno } from "../errno.ts";

export const seccompReturn = {
  KILL_PROCESS: 0x8000_0000,
  KILL_THREAD: 0x0000_0000,
  TRAP: 0x0003_0000,
  ERRNO: 0x0005_0000,
  USER_NOTIF: 0x7fc0_0000,
  TRACE: 0x7ff0_0000,
  LOG: 0x7ffc_0000,
  ALLOW: 0x7fff_0000,
} as const;

const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: seccompReturn.KILL_THREAD,
  SCMP_ACT_KILL_THREAD: seccompReturn.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: seccompReturn.KILL_PROCESS,
  SCMP_ACT_TRAP: seccompReturn.TRAP,
  SCMP_ACT_ERRNO: seccompReturn.ERRNO,
  SCMP_ACT_TRACE: seccompReturn.TRACE,
  SCMP_ACT_ALLOW: seccompReturn.ALLOW,
  SCMP_ACT_LOG: seccompReturn.LOG,
  SCMP_ACT_NOTIFY: seccompReturn.USER_NOTIF,
};

/** The names of all actions, for `features` and for validation. */
export const knownActions: readonly string[] = Object.keys(actions);

/**
 * The value that a filter returns for an OCI action. ERRNO and TRACE carry `errnoRet`, or EPERM. Throws `invalid_argument` that
 * names `field`, the action's place in the configuration.
 */
export function actionValue(action: string, errnoRet: number | undefined, field: string): number {
  const value = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (value === undefined) {
    throw new GalleyError("invalid_argument", `unknown seccomp action ${JSON.stringify(action)}`, {
      subject: field,
      hint: `use one of ${knownActions.join(", ")}`,
    });
  }
  if (value !== seccompReturn.ERRNO && value !== seccompReturn.TRACE) return value;
  return (value | ((errnoRet ?? errno.EPERM) & 0xffff)) >>> 0;
}

/** Actions that let a call through: a filter with such a default never answers ENOSYS on its own. */
export function isPermissive(value: number): boolean {
  const kind = (value & 0xffff_0000) >>> 0;
  return kind === seccompReturn.ALLOW || kind === seccompReturn.LOG || kind === seccompReturn.TRACE;
}
