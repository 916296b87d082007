/** Being told of OOM kills in a cgroup, and of its end. */
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { awaitReadable, eventfd, watchFiles } from "../sys/watch.ts";
import type { OomSource } from "./types.ts";

/** `gone`: the cgroup is removed (v1), or its last process has ended (v2). */
export type OomNews = "oom" | "gone" | "none";

export interface OomWatch extends Disposable {
  /** Waits for news, as long as that. Nothing else of this program runs meanwhile. */
  await(milliseconds: number): OomNews;
}

/** Watches a cgroup. A v1 watch dies with its descriptors; they are closed with the scope. */
export function watchOom(source: OomSource): OomWatch {
  return source.version === 1 ? watchLegacy(source.directory) : watchUnified(source.counter);
}

/** An eventfd that is registered with the file (memory.rst, "OOM Control"); the removal of the directory is an event too. */
function watchLegacy(directory: string): OomWatch {
  const register = `${directory}/cgroup.event_control`;
  const control = openSync(`${directory}/memory.oom_control`, constants.O_RDONLY);
  const event = eventfd();
  const fd = openSync(register, constants.O_WRONLY);
  writeSync(fd, `${event} ${control}`);
  closeSync(fd);
  const isGone = (): boolean => !existsSync(register);
  return watch(event, [control], () => (isGone() ? "gone" : "oom"), isGone);
}

/**
 * Both files tell each change by inotify (cgroup-v2.rst); a removed directory tells nothing, its last process does, unless the removal
 * is quicker than the kernel's word of that.
 */
function watchUnified(counter: string): OomWatch {
  const events = `${counter.slice(0, counter.lastIndexOf("/"))}/cgroup.events`;
  const fd = watchFiles([counter, events]);
  let known = killsIn(counter);
  const isGone = (): boolean => (valueIn(events, "populated") ?? 0) === 0;
  return watch(
    fd,
    [],
    () => {
      const kills = killsIn(counter);
      if (kills === undefined) return "gone";
      if (kills !== known) {
        known = kills;
        return "oom";
      }
      return isGone() ? "gone" : "none";
    },
    isGone,
  );
}

/** @param isGone is asked where nothing was told */
function watch(fd: number, others: readonly number[], news: () => OomNews, isGone: () => boolean): OomWatch {
  const unread = new Uint8Array(4096);
  return {
    await(milliseconds) {
      if (!awaitReadable(fd, milliseconds)) return isGone() ? "gone" : "none";
      readSync(fd, unread);
      return news();
    },
    [Symbol.dispose]() {
      for (const one of [fd, ...others]) closeSync(one);
    },
  };
}

function killsIn(counter: string): number | undefined {
  return valueIn(counter, "oom_kill");
}

function valueIn(path: string, key: string): number | undefined {
  try {
    const value = new RegExp(`^${key} (\\d+)$`, "m").exec(readFileSync(path, "utf8"))?.[1];
    return value === undefined ? 0 : Number(value);
  } catch {
    return undefined; // the cgroup has gone
  }
}
