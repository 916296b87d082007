import type { PlaceOptions } from "../image/transports/open-place.ts";
import type { RegistryCredentials } from "../image/types.ts";
import type { GalleyStore } from "./store.ts";

/** How a place is reached, where the user's files and the environment do not say it right. */
export interface PlaceRequest {
  /** What `containers-storage:` means; without it there is none. */
  readonly store?: GalleyStore;
  readonly credentials?: RegistryCredentials | "anonymous";
  /** False: any certificate is taken, and plain HTTP. */
  readonly tlsVerify?: boolean;
  /** Directory for what has to be put aside; the system's by default. */
  readonly scratch?: string;
  readonly signal?: AbortSignal;
}

/** The request in the words of the image tier. */
export function placeOptions({ store, credentials, tlsVerify, scratch, signal }: PlaceRequest): PlaceOptions {
  return {
    registry: { credentials, tlsVerify },
    store: store === undefined ? undefined : store.images,
    scratch,
    ...(signal === undefined ? {} : { signal }),
  };
}
