/**
 * Galley as a library: `import { copy, openImage, openStore } from "galley"`. docs/library.md has examples.
 *
 * Images are named as on the command line: in a store by name or ID, elsewhere as a place (`docker://busybox`, `oci:/images:app`). Long
 * work takes an `AbortSignal` and says how far it is; each failure is a {@link GalleyError} with a code, what was being done, to what,
 * and what can be done about it. Nothing is started that stays.
 */
export type { Usage } from "../engine/usage/usage.ts";
export { type ErrorCode, GalleyError } from "../errors.ts";
export type { CopyEvent, CopyResult, ListMode } from "../image/copy/options.ts";
export type { TarMember } from "../image/layers/tar/read-tar.ts";
export type { ImageRecord, Images, PullEvent, PullOptions, PullResult, RegistryCredentials } from "../image/types.ts";
export type { Descriptor, ImageConfig, ImageManifest, Platform } from "../spec/image.ts";
export { type CopyRequest, copy } from "./copy.ts";
export { type ImageLayer, type OpenedImage, openImage } from "./open-image.ts";
export type { PlaceRequest } from "./places.ts";
export { type GalleyStore, openStore, type StoreRequest } from "./store.ts";
