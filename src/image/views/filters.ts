import { mediaTypes } from "../../spec/image.ts";
import type { ImageRecord } from "../types.ts";
import { invalidFilter, untilMoment } from "./until.ts";

/** docker's `--filter` pairs by key. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Whether an image passes one value of a filter; `of` finds an image that a filter names. */
type Test = (image: ImageRecord, value: string, of: (reference: string) => ImageRecord) => boolean;

const tests: Readonly<Record<string, Test>> = {
  dangling: (image, value) => (image.names.length === 0) === truth("dangling", value),
  label: hasLabel,
  "label!": (image, value) => !hasLabel(image, value),
  before: (image, value, of) => time(image) < time(of(value)),
  since: (image, value, of) => time(image) > time(of(value)),
  until: (image, value) => time(image) < untilMoment(value, Date.now()) * 1000,
  reference: matchesReference,
  manifest: (image, value) => isList(image) === truth("manifest", value),
};

/** Keys of which every value must hold; of the others one is enough. */
const conjunctive = new Set(["label", "label!", "before", "since", "until"]);

/** The images that pass all filters. An unknown key or a malformed value is `invalid_argument`. */
export function filterImages(
  images: readonly ImageRecord[],
  filters: Filters,
  of: (reference: string) => ImageRecord,
): readonly ImageRecord[] {
  const checks = Object.entries(filters).map(([key, values]) => {
    const test = Object.hasOwn(tests, key) ? tests[key] : undefined;
    if (test === undefined) throw invalidFilter(key, `known are ${Object.keys(tests).join(", ")}`);
    return (image: ImageRecord) =>
      conjunctive.has(key)
        ? values.every((value) => test(image, value, of))
        : values.some((value) => test(image, value, of));
  });
  return images.filter((image) => checks.every((check) => check(image)));
}

function truth(key: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalidFilter(`${key}=${value}`, "write true or false");
}

/** A list of images for several platforms that is put together in the store. */
function isList({ manifest: { mediaType } }: ImageRecord): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

function hasLabel(image: ImageRecord, value: string): boolean {
  const labels = image.config.config?.Labels ?? {};
  const equals = value.indexOf("=");
  const key = equals < 0 ? value : value.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === value.slice(equals + 1));
}

function time(image: ImageRecord): number {
  return Date.parse(image.createdAt);
}

/** Shell patterns over whole names and over repositories; `*` does not go beyond a `/`. */
function matchesReference(image: ImageRecord, pattern: string): boolean {
  const expression = patternOf(pattern);
  return [...image.names, ...image.digests].some(
    (name) => expression.test(name) || expression.test(name.replace(/(:[^:/@]+)?(@.*)?$/, "")),
  );
}

function patternOf(pattern: string): RegExp {
  const source = pattern.replace(/\\.|\[\^?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return part;
    return part.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw invalidFilter(`reference=${pattern}`, "it is not a pattern");
  }
}
