import { errno } from "../../../linux/errno.ts";
import { O, readlinkat, SystemError, withFd } from "../../../linux/sys/sys.ts";
import type { Found, LayerFile, LayerStack, MergedDirectory } from "./layer-stack.ts";

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40;

/**
 * What a path means to a process whose root the stack is: links of any layer are followed in the merged tree and never lead out of
 * it. `undefined` where there is nothing. Fails with ELOOP, and with ENOTDIR where the path goes on after a file.
 * @param follow whether a link at the path's end is followed too
 */
export function resolve(stack: LayerStack, path: string, follow: boolean): Found | undefined {
  let above: MergedDirectory[] = [stack.root()];
  let rest = path.split("/");
  for (let links = 0; ; ) {
    const [name, ...after] = rest;
    if (name === undefined) return above.at(-1);
    rest = after;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (above.length > 1) above.pop();
      continue;
    }
    const found = stack.find(above.at(-1) ?? stack.root(), name);
    if (found === undefined) return undefined;
    const last = !rest.some((part) => part !== "");
    if (found.kind === "directory") above.push(found);
    else if (found.status.type !== "symlink" || (last && !follow && !path.endsWith("/"))) {
      if (rest.length > 0) throw new SystemError(errno.ENOTDIR, "open", path);
      return found;
    } else {
      if (++links > LINKS_MAX) throw new SystemError(errno.ELOOP, "open", path);
      const target = targetOf(stack, found);
      if (target.startsWith("/")) above = above.slice(0, 1);
      rest = [...target.split("/"), ...rest];
    }
  }
}

/** Text of a symbolic link. */
export function targetOf(stack: LayerStack, link: LayerFile): string {
  return withFd(stack.open(link.layer, link.path, O.PATH), (fd) => readlinkat(fd, ""));
}
