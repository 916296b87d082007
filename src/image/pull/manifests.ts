import { GalleyError } from "../../errors.ts";
import {
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  type Platform,
} from "../../spec/image.ts";
import { tryParseDigest } from "../digest.ts";
import { isObject, jsonObject } from "../json-object.ts";
import { REMEDY } from "../verify/remedy.ts";
import { withoutNulls, wrongField } from "./config-fields.ts";

/** A document that a reference may lead to. */
export type ManifestDocument =
  | { readonly kind: "manifest"; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly index: ImageIndex };

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList]);
const manifestTypes: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const configTypes: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);

/** Layers that one image may have: ten times what overlayfs could ever mount, and few enough to hold in memory many times over. */
export const MAX_LAYERS = 5000;

/**
 * Reads a manifest or index: what it says of itself decides before what the registry says of it. `subject` is the image, for messages.
 * Docker's schema 1 and artifacts that are no container images are refused by name.
 */
export function parseManifest(content: Uint8Array, descriptor: Descriptor, subject: string): ManifestDocument {
  const document = parseDocument(content, descriptor, subject);
  if (document.kind === "manifest" && !isImage(document.manifest)) {
    throw noImage(subject, document.manifest.config.mediaType);
  }
  return document;
}

/** As {@link parseManifest}, artifacts included. */
export function parseDocument(content: Uint8Array, descriptor: Descriptor, subject: string): ManifestDocument {
  const document = parseObject(content, subject);
  const type = typeof document.mediaType === "string" ? document.mediaType : descriptor.mediaType;
  if (document.schemaVersion === 1) throw schemaOne(subject);
  refuseBoth(document, subject);
  if (indexTypes.has(type) || (!manifestTypes.has(type) && Array.isArray(document.manifests))) {
    return { kind: "index", index: checkedIndex(document, subject) };
  }
  if (manifestTypes.has(type) || Array.isArray(document.layers)) {
    return { kind: "manifest", manifest: checkedManifest(document, subject) };
  }
  throw malformed(subject, `it is of the unknown type ${JSON.stringify(type)}`);
}

/** Whether a manifest is a container image's, as opposed to an artifact's. */
export function isImage(manifest: ImageManifest): boolean {
  return configTypes.has(manifest.config.mediaType);
}

/** The media type of a document, which its own words decide. Documents without one are OCI's. */
export function typeOfDocument(document: ManifestDocument): string {
  if (document.kind === "index") return document.index.mediaType ?? mediaTypes.ociIndex;
  return document.manifest.mediaType ?? mediaTypes.ociManifest;
}

/** What programs could take for the one or the other is neither (CVE-2021-41190). */
function refuseBoth({ manifests, layers, config }: Readonly<Record<string, unknown>>, subject: string): void {
  if ((manifests ?? undefined) === undefined || (layers ?? config ?? undefined) === undefined) return;
  throw malformed(subject, "it is ambiguous, a list of images and an image at once");
}

function parseObject(content: Uint8Array, subject: string): Readonly<Record<string, unknown>> {
  const object = jsonObject(content);
  if (object !== undefined) return object;
  throw malformed(subject, "it is not a JSON object");
}

function checkedIndex(document: Readonly<Record<string, unknown>>, subject: string): ImageIndex {
  const manifests = document.manifests;
  if (!Array.isArray(manifests) || !manifests.every(isDescriptor))
    throw malformed(subject, "its list is not one of descriptors");
  // What of it is used has just been checked; the checker does not follow that into the whole.
  return document as unknown as ImageIndex;
}

function checkedManifest(document: Readonly<Record<string, unknown>>, subject: string): ImageManifest {
  const { config, layers } = document;
  if (!isDescriptor(config)) throw malformed(subject, "it has no configuration");
  if (!Array.isArray(layers) || !layers.every(isDescriptor)) throw malformed(subject, "its layers are not descriptors");
  if (layers.length > MAX_LAYERS) throw malformed(subject, `it has ${layers.length} layers, more than ${MAX_LAYERS}`);
  // As with an index.
  return document as unknown as ImageManifest;
}

/** Whether a value out of a JSON document is a descriptor with a digest that content is accepted in. */
export function isDescriptor(value: unknown): value is Descriptor {
  if (!isObject(value)) return false;
  const { mediaType, digest, size } = value;
  const sized = typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
  return typeof mediaType === "string" && typeof digest === "string" && tryParseDigest(digest) !== undefined && sized;
}

/** Reads a configuration for any system, and its layers' diff IDs. */
export function parseConfigObject(
  content: Uint8Array,
  subject: string,
): { readonly document: Readonly<Record<string, unknown>>; readonly diffIds: readonly string[] } {
  const document = parseObject(content, subject);
  const { rootfs } = document;
  // An image without layers may say `null`, as Go writes an empty list.
  const diffIds = isObject(rootfs) ? (rootfs.diff_ids ?? []) : undefined;
  const valid = (id: unknown) => typeof id === "string" && tryParseDigest(id) !== undefined;
  if (!Array.isArray(diffIds) || !diffIds.every(valid)) throw malformed(subject, "its configuration lists no layers");
  return { document, diffIds };
}

/** Reads an image's configuration and checks that its layers are as many as the manifest's. */
export function parseConfig(content: Uint8Array, manifest: ImageManifest, subject: string): ImageConfig {
  const { document, diffIds } = parseConfigObject(content, subject);
  if (diffIds.length !== manifest.layers.length) {
    const counts = `${manifest.layers.length} layers and the configuration ${diffIds.length}`;
    throw malformed(subject, `its manifest lists ${counts}`);
  }
  const wrong = wrongField(document);
  if (wrong !== undefined) throw malformed(subject, `its configuration's ${wrong}`);
  // What is read of it was checked above, the system is below; the other fields are what an image says of itself.
  const config = withoutNulls(document as unknown as ImageConfig);
  checkSystem(config, subject);
  return config;
}

function checkSystem({ os }: Platform, subject: string): void {
  if (os === undefined || os === "" || os === "linux") return;
  throw new GalleyError("failed_precondition", `image operating system ${JSON.stringify(os)} cannot be used here`, {
    op: "pull",
    subject,
    hint: "only Linux images run on Linux",
  });
}

function malformed(subject: string, fault: string): GalleyError {
  return new GalleyError("data_loss", `the manifest is malformed: ${fault}`, { op: "pull", subject, hint: REMEDY });
}

function schemaOne(subject: string): GalleyError {
  return new GalleyError("unimplemented", "the image is in Docker's old format (manifest schema 1)", {
    op: "pull",
    subject,
    hint: "push it again with a Docker of 2017 or later",
  });
}

function noImage(subject: string, type: string): GalleyError {
  return new GalleyError("invalid_argument", `it is not a container image but an artifact of type ${type}`, {
    op: "pull",
    subject,
  });
}
