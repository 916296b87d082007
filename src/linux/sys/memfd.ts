import { pathAddress, syscall } from "./call.ts";
import { writeAll } from "./data.ts";
import { SYS } from "./flags.ts";
import { close } from "./open.ts";
import { isErrno } from "./system-error.ts";

/** memfd_create(2) flags (linux/memfd.h): not inherited on exec, and meant to be executed (Linux 6.3, which asks for a decision). */
const MFD_CLOEXEC = 1;
const MFD_EXEC = 0x10;

/**
 * A file in memory with the given content, which may be executed as `/proc/self/fd/<n>`. It goes with its last descriptor.
 * @param name for people who look at the process
 */
export function executableInMemory(name: string, content: Uint8Array): number {
  const fd = create(name);
  try {
    writeAll(fd, content);
    return fd;
  } catch (failure) {
    close(fd);
    throw failure;
  }
}

function create(name: string): number {
  try {
    return syscall("memfd_create", SYS.memfd_create, pathAddress(name), MFD_CLOEXEC | MFD_EXEC);
  } catch (failure) {
    if (!isErrno(failure, "EINVAL")) throw failure;
    return syscall("memfd_create", SYS.memfd_create, pathAddress(name), MFD_CLOEXEC);
  }
}
