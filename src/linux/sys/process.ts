import { syscall } from "./call.ts";
import { SYS } from "./flags.ts";
import { libc } from "./libc.ts";
import { isErrno, lastError } from "./system-error.ts";

/** pidfd_open(2), Linux 5.3; `undefined` where there is no such process. The descriptor is closed on exec. */
export function pidfdOpen(pid: number): number | undefined {
  return unlessGone(() => syscall("pidfd_open", SYS.pidfd_open, pid, 0));
}

/** pidfd_send_signal(2): whether the process was still there. Signal 0 only asks. */
export function pidfdSendSignal(pidfd: number, signal: number): boolean {
  return unlessGone(() => syscall("pidfd_send_signal", SYS.pidfd_send_signal, pidfd, signal, 0, 0)) !== undefined;
}

/** kill(2): whether there was such a process. Prefer {@link pidfdSendSignal}, which cannot hit another one. */
export function kill(pid: number, signal: number): boolean {
  return (
    unlessGone(() => {
      if (libc().kill(pid, signal) < 0) throw lastError("kill");
      return 0;
    }) !== undefined
  );
}

function unlessGone(call: () => number): number | undefined {
  try {
    return call();
  } catch (failure) {
    if (isErrno(failure, "ESRCH")) return undefined;
    throw failure;
  }
}
