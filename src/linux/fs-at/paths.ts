import { O, openInRoot, SystemError, withFd } from "../sys/sys.ts";

/** EINVAL: a path that ends in no name. */
const EINVAL = 22;

export interface SplitPath {
  /** What is before the last name, `.` where that is nothing. */
  readonly parent: string;
  /** The last name; `undefined` where the path ends in none: the root itself, `.` or `..`. */
  readonly name: string | undefined;
}

/** Splits off the last name; slashes at the end do not count. */
export function splitPath(path: string): SplitPath {
  const end = trimmedLength(path);
  const slash = path.lastIndexOf("/", end - 1);
  const last = path.slice(slash + 1, end);
  if (last === "" || last === "." || last === "..") return { parent: path, name: undefined };
  return { parent: slash <= 0 ? (slash === 0 ? "/" : ".") : path.slice(0, slash), name: last };
}

function trimmedLength(path: string): number {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end--;
  return end;
}

/** Runs `use` with the directory that holds the last name of `path`, resolved below the root, and that name. */
export function withParent<T>(root: number, path: string, op: string, use: (dirfd: number, name: string) => T): T {
  const { parent, name } = splitPath(path);
  if (name === undefined) throw new SystemError(EINVAL, op, path);
  return withFd(openDirectory(root, parent, path), (dirfd) => use(dirfd, name));
}

function openDirectory(root: number, parent: string, path: string): number {
  try {
    return openInRoot(root, parent, O.PATH | O.DIRECTORY);
  } catch (failure) {
    throw failure instanceof SystemError ? failure.of(path) : failure;
  }
}
