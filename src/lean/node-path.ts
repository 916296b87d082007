/** The part of node:path that the OCI runtime uses. The build puts it in the place of the real one. */

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

export function normalize(path: string): string {
  const absolute = isAbsolute(path);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    const last = parts[parts.length - 1];
    if (part !== ".." || (last === undefined ? !absolute : last === "..")) parts.push(part);
    else parts.pop();
  }
  if (parts.length === 0 && absolute) return "/";
  const body = parts.length === 0 ? "." : parts.join("/");
  return `${absolute ? "/" : ""}${body}${path.endsWith("/") ? "/" : ""}`;
}

export function join(...parts: readonly string[]): string {
  return normalize(parts.filter(Boolean).join("/"));
}

export function resolve(...parts: readonly string[]): string {
  const start = parts.map(isAbsolute).lastIndexOf(true);
  const from = start === -1 ? [process.cwd(), ...parts] : parts.slice(start);
  const path = join(...from);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

export function dirname(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  const end = trimmed.lastIndexOf("/");
  if (end === -1) return path.startsWith("/") ? "/" : ".";
  return trimmed.slice(0, end) || "/";
}

export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** The path from one absolute place to another. */
export function relative(from: string, to: string): string {
  const here = resolve(from).split("/").filter(Boolean);
  const there = resolve(to).split("/").filter(Boolean);
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same += 1;
  return [...here.slice(same).map(() => ".."), ...there.slice(same)].join("/");
}

export const posix = { isAbsolute, normalize, join, resolve, dirname, basename, relative };
