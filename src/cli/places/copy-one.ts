import { type CopyOptions, type CopyResult, copyImage } from "../../image/copy/copy.ts";
import { openDestination, openSource, type PlaceOptions } from "../../image/transports/open-place.ts";
import type { PlaceName } from "../../image/transports/place-name.ts";
import { fullSpeed } from "../full-speed.ts";
import { acceptance, type Trust } from "./trust.ts";

/** One copy, and how its two places are reached. */
export interface CopyJob {
  readonly from: PlaceName;
  readonly to: PlaceName;
  readonly source: PlaceOptions;
  readonly destination: PlaceOptions;
  readonly options: CopyOptions;
  /** Whether the image may be used; absent: it may. */
  readonly trust?: Trust;
}

/** Opens both places, copies, and closes them. A source that is not there is found before anything is written. */
export async function copyOne({ from, to, ...job }: CopyJob): Promise<CopyResult> {
  const accept = job.trust === undefined ? undefined : await acceptance(job.trust, from);
  const source = await openSource(from, job.source);
  try {
    const { signal } = job.options;
    await source.document(undefined, signal === undefined ? {} : { signal });
    const destination = await openDestination(to, job.destination);
    try {
      return await copyImage(source, destination, { ...quickenedBy(job.options), accept });
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

/** Bytes of a blob from which on a copy is long work. */
const LARGE = 1 << 20;

/** What is mounted, or there, or small, is copied before a faster compiler is of any use. */
function quickenedBy(options: CopyOptions): CopyOptions {
  let isQuick = false;
  return {
    ...options,
    onProgress(event) {
      if (!isQuick && event.kind === "blob" && event.status === "started" && event.size > LARGE) {
        fullSpeed();
        isQuick = true;
      }
      options.onProgress?.(event);
    },
  };
}
