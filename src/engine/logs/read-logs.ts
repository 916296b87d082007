import type { LogLine, LogOptions } from "../types.ts";
import { LogFollower } from "./follow.ts";
import { type LogFile, openLogFiles } from "./log-file.ts";
import { parseLine, secondsOf } from "./parse-line.ts";

export { type LogSettings, logSettings } from "./log-settings.ts";

/** When a followed log is over. */
export interface Following {
  /** Resolves once the container has ended for good and its last line is written. Never rejects. */
  readonly ended: Promise<unknown>;
}

/**
 * The lines of a log in docker's json-file format, its rotated files (`PATH.1` …) included, oldest first. With `follow` it goes on
 * with lines as they are written, through rotations, until the container has ended or `until` has passed. Damaged lines are left out.
 * As with docker, `tail` counts before `since` and `until` choose. No file is an empty log.
 */
export async function* readLogs(
  path: string,
  options: LogOptions = {},
  following?: Following,
): AsyncGenerator<LogLine> {
  const follower =
    options.follow === true && following !== undefined
      ? new LogFollower(path, following.ended, options.until)
      : undefined;
  const files = openLogFiles(path);
  try {
    const start = firstFile(files, options);
    for (const file of files.slice(start)) {
      for (let texts = file.next(); texts.length > 0; texts = file.next()) yield* chosen(texts, options);
    }
    const last = files.pop();
    if (follower === undefined) last?.[Symbol.dispose]();
    else for await (const texts of follower.read(last)) yield* chosen(texts, options);
  } finally {
    follower?.[Symbol.dispose]();
    for (const file of files) file[Symbol.dispose]();
  }
}

/** Where reading begins: the file's index; files from there on are at the place from which they are to be read. */
function firstFile(files: readonly LogFile[], { tail, since }: LogOptions): number {
  if (tail !== undefined) return seekToTail(files, tail);
  if (since === undefined) return 0;
  const found = files.findIndex(({ modified }) => modified / 1000 >= since);
  return found < 0 ? Math.max(0, files.length - 1) : found;
}

function seekToTail(files: readonly LogFile[], tail: number): number {
  let wanted = tail;
  for (let index = files.length - 1; index >= 0; index--) {
    wanted -= files[index]?.seekToLast(wanted) ?? 0;
    if (wanted === 0) return index;
  }
  return 0;
}

function* chosen(texts: readonly string[], { since, until }: LogOptions): Generator<LogLine> {
  for (const text of texts) {
    const line = parseLine(text);
    if (line === undefined) continue;
    if (since !== undefined || until !== undefined) {
      const seconds = secondsOf(line.time);
      if (since !== undefined && seconds < since) continue;
      if (until !== undefined && seconds > until) continue;
    }
    yield line;
  }
}
