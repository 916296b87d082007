/** Where the native program is: in ours, and from here in sealed memory. In the place of ../cli/assets.ts. */
import { call, systemFailure } from "./system.ts";

const F_DUPFD_CLOEXEC = 1030;

/** Above what a manager hands over, and above what a child is given. */
const HIGH = 300;

let path: string | undefined;

/** A path under which this process and its children can execute it. */
export function nativeProgram(): string {
  path ??= `/proc/self/fd/${sealed()}`;
  return path;
}

function sealed(): number {
  const fd = system.nativeProgram();
  if (fd < 0) throw systemFailure(-fd, "memfd_create", undefined);
  const high = call("fcntl", undefined, fd, F_DUPFD_CLOEXEC, HIGH);
  call("close", undefined, fd);
  return high;
}
