import { errno } from "../errno.ts";
import {
  close,
  fchmod,
  fchown,
  isErrno,
  mkdirat,
  O,
  openat,
  openInRoot,
  readlinkat,
  SystemError,
  tryLstatat,
  withFd,
} from "../sys/sys.ts";

export interface MakeDirectoryOptions {
  /** Of each directory that is made: the lower twelve bits, exactly. 0755 by default. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40;

/**
 * Makes `path` and what is missing above it, below the root. A symbolic link that leads to nothing gets its target made, below the
 * root too. What is there is left as it is; ENOTDIR where it is no directory.
 */
export function makeDirectories(root: number, path: string, options: MakeDirectoryOptions = {}): void {
  if (isDirectory(root, path)) return;
  let done: string[] = [];
  let rest = path.split("/");
  for (let links = 0; rest.length > 0; ) {
    const [name = "", ...after] = rest;
    rest = after;
    if (name === "" || name === ".") continue;
    if (name === "..") done.pop();
    else {
      const target = makeOne(root, done.join("/"), name, options, path);
      if (target === undefined) done.push(name);
      else {
        if (++links > LINKS_MAX) throw new SystemError(errno.ELOOP, "mkdirat", path);
        if (target.startsWith("/")) done = [];
        rest = [...target.split("/"), ...rest];
      }
    }
  }
}

function isDirectory(root: number, path: string): boolean {
  try {
    close(openInRoot(root, path, O.PATH | O.DIRECTORY));
    return true;
  } catch (failure) {
    if (isErrno(failure, "ENOENT")) return false;
    throw failure;
  }
}

/** Makes one directory where there is none. Returns the target where the name is a symbolic link. */
function makeOne(
  root: number,
  parent: string,
  name: string,
  options: MakeDirectoryOptions,
  path: string,
): string | undefined {
  return withFd(openInRoot(root, parent, O.PATH | O.DIRECTORY), (dirfd) => {
    const status = tryLstatat(dirfd, name);
    if (status?.type === "symlink") return readlinkat(dirfd, name);
    if (status === undefined) create(dirfd, name, options);
    else if (status.type !== "directory") throw new SystemError(errno.ENOTDIR, "mkdirat", path);
    return undefined;
  });
}

/** Another process that makes the same directory at the same time is welcome. */
function create(dirfd: number, name: string, options: MakeDirectoryOptions): void {
  try {
    mkdirat(dirfd, name, 0o700);
  } catch (failure) {
    if (isErrno(failure, "EEXIST")) return;
    throw failure;
  }
  withFd(openat(dirfd, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW), (fd) => {
    if (options.uid !== undefined || options.gid !== undefined) {
      fchown(fd, options.uid ?? 0xffffffff, options.gid ?? 0xffffffff);
    }
    fchmod(fd, options.mode ?? 0o755);
  });
}
