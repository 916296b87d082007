import { mediaTypes } from "../../spec/image.ts";
import type { ImageRecord } from "../types.ts";
import { invalidFilter, untilMoment } from "./until.ts";

/** docker's `--filter` pairs by key. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** What filters ask about besides the images. */
export interface FilterFacts {
  /** Finds an image that a filter names. */
  of(reference: string): ImageRecord;
  /** Whether there is a container of an image. */
  isUsed(imageId: string): boolean;
}

/** Whether an image passes one value of a filter. */
type Test = (image: ImageRecord, value: string, facts: FilterFacts) => boolean;

const isYounger: Test = (image, value, { of }) => time(image) > time(of(value));

const tests: Readonly<Record<string, Test>> = {
  dangling: (image, value) => (image.names.length === 0) === truth("dangling", value),
  label: hasLabel,
  "label!": (image, value) => !hasLabel(image, value),
  before: (image, value, { of }) => time(image) < time(of(value)),
  since: isYounger,
  until: (image, value) => time(image) < untilMoment(value, Date.now()) * 1000,
  reference: (image, value) => namesLike(image, [value]).length > 0,
  // podman's own:
  after: isYounger,
  containers: ({ id }, value, { isUsed }) => isUsed(id) === truth("containers", value),
  digest: ({ manifest }, value) => manifest.digest.startsWith(checkedDigest(value)),
  id: ({ id }, value) => id.startsWith(value) || id.slice(id.indexOf(":") + 1).startsWith(value),
  // Images of steps of a build, and of stores that cannot be written: there are none here.
  intermediate: (_, value) => !truth("intermediate", value),
  manifest: (image, value) => isList(image) === truth("manifest", value),
  readonly: (_, value) => !truth("readonly", value),
};

/** Keys of which every value must hold; of the others one is enough. */
const conjunctive = new Set(["label", "label!", "before", "since", "after", "until"]);

/** The images that pass all filters. An unknown key or a malformed value is `invalid_argument`. */
export function filterImages(
  images: readonly ImageRecord[],
  filters: Filters,
  facts: FilterFacts,
): readonly ImageRecord[] {
  const checks = Object.entries(filters).map(([key, values]) => {
    const test = Object.hasOwn(tests, key) ? tests[key] : undefined;
    if (test === undefined) throw invalidFilter(key, `known are ${Object.keys(tests).join(", ")}`);
    return (image: ImageRecord) =>
      conjunctive.has(key)
        ? values.every((value) => test(image, value, facts))
        : values.some((value) => test(image, value, facts));
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

function checkedDigest(value: string): string {
  if (/^[a-z0-9]+:[0-9a-f]+$/.test(value)) return value;
  throw invalidFilter(`digest=${value}`, "write ALGORITHM:DIGITS, or the beginning of it");
}

/** Names and digests of an image that a filter `reference` means: shell patterns over whole names and over repositories; `*` does not go beyond a `/`. */
export function namesLike({ names, digests }: ImageRecord, patterns: readonly string[]): readonly string[] {
  const expressions = patterns.map(patternOf);
  const repository = (name: string) => name.replace(/(:[^:/@]+)?(@.*)?$/, "");
  return [...names, ...digests].filter((name) =>
    expressions.some((expression) => expression.test(name) || expression.test(repository(name))),
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
