import { readFileSync } from "node:fs";

/** Mount points of this mount namespace, in the order in which they were made: one that is mounted over itself is there twice (proc_pid_mountinfo(5)). */
export function mountPoints(): readonly string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.map((line) => unescapePath(line.split(" ")[4] ?? ""));
}

/** Blanks, line ends and backslashes are written as `\` and three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
