import { GalleyError } from "../../errors.ts";
import { tryParseDigest } from "../digest.ts";
import { parseReference, type Reference, withDefaultTag } from "../reference.ts";

/** Where an image is, as people write it: containers-transports(5). */
export type PlaceName =
  | { readonly transport: "docker"; readonly reference: Reference }
  | {
      readonly transport: "oci" | "oci-archive";
      readonly path: string;
      readonly name?: string;
      readonly position?: number;
    }
  | { readonly transport: "docker-archive"; readonly path: string; readonly tag?: string; readonly position?: number }
  | { readonly transport: "dir" | "sif"; readonly path: string }
  /** `id` is that of an image of the daemon's. */
  | { readonly transport: "docker-daemon"; readonly reference: Reference }
  | { readonly transport: "docker-daemon"; readonly id: string }
  /** Galley's own store. */
  | { readonly transport: "containers-storage"; readonly name: string };

type Parser = (details: string, text: string) => PlaceName;

const parsers: Readonly<Record<string, Parser>> = {
  docker: parseDocker,
  oci: (details, text) => parseLayout("oci", details, text),
  "oci-archive": (details, text) => parseLayout("oci-archive", details, text),
  "docker-archive": parseArchive,
  dir: (path, text) => ({ transport: "dir", path: required(path, text, "directory") }),
  "docker-daemon": parseDaemon,
  "containers-storage": parseStorage,
  sif: (path, text) => ({ transport: "sif", path: required(path, text, "file") }),
};

/** The transports that there are, in alphabetical order. */
export function transportNames(): readonly string[] {
  return Object.keys(parsers).sort();
}

/** Whether a text begins with the name of a transport and a colon. */
export function namesPlace(text: string): boolean {
  const colon = text.indexOf(":");
  if (colon < 0 || !Object.hasOwn(parsers, text.slice(0, colon))) return false;
  // `docker:latest` is an image of the name docker.
  return text.slice(0, colon) !== "docker" || text.startsWith("docker://");
}

/** Parses `TRANSPORT:DETAILS`; anything else is `invalid_argument`. */
export function parsePlace(text: string): PlaceName {
  const colon = text.indexOf(":");
  if (colon < 0)
    throw invalid(text, "expected colon-separated transport:reference", {
      hint: `docker://${text} is an image in a registry`,
    });
  const transport = text.slice(0, colon);
  const parser = Object.hasOwn(parsers, transport) ? parsers[transport] : undefined;
  if (parser === undefined) {
    throw invalid(text, `unknown transport ${JSON.stringify(transport)}`, {
      hint: `one of ${transportNames().join(", ")}`,
    });
  }
  return parser(text.slice(colon + 1), text);
}

function invalid(text: string, why: string, more: { readonly hint?: string } = {}): GalleyError {
  return new GalleyError("invalid_argument", `Invalid image name ${JSON.stringify(text)}, ${why}`, more);
}

function required(details: string, text: string, what: string): string {
  if (details === "") throw invalid(text, `it names no ${what}`);
  if (details.includes("\0")) throw invalid(text, `a ${what}'s name holds no zero bytes`);
  return details;
}

function parseDocker(details: string, text: string): PlaceName {
  if (!details.startsWith("//")) throw invalid(text, "docker: image reference does not start with //");
  return { transport: "docker", reference: withDefaultTag(parseReference(details.slice(2))) };
}

/** The path ends at the first colon. */
function splitPath(details: string, text: string): readonly [path: string, rest: string | undefined] {
  const colon = details.indexOf(":");
  const path = required(colon < 0 ? details : details.slice(0, colon), text, "path");
  return [path, colon < 0 ? undefined : details.slice(colon + 1)];
}

function parseLayout(transport: "oci" | "oci-archive", details: string, text: string): PlaceName {
  const [path, rest] = splitPath(details, text);
  if (rest === undefined || rest === "") return { transport, path };
  const position = positionOf(rest, text);
  if (position !== undefined) return { transport, path, position };
  // image-spec annotations.md, the grammar of org.opencontainers.image.ref.name; hostile ones could be taken for something else.
  if (!/^[A-Za-z0-9]+([-._:@/+]+[A-Za-z0-9]+)*$/.test(rest)) {
    throw invalid(text, `${JSON.stringify(rest)} cannot be the name of an image in a layout`);
  }
  return { transport, path, name: rest };
}

function positionOf(rest: string, text: string): number | undefined {
  if (!rest.startsWith("@")) return undefined;
  const position = Number(rest.slice(1));
  if (/^@\d+$/.test(rest) && Number.isSafeInteger(position)) return position;
  throw invalid(text, `${JSON.stringify(rest)} is not the number of an image`);
}

function parseArchive(details: string, text: string): PlaceName {
  const [path, rest] = splitPath(details, text);
  if (rest === undefined || rest === "") return { transport: "docker-archive", path };
  const position = positionOf(rest, text);
  if (position !== undefined) return { transport: "docker-archive", path, position };
  if (parseReference(rest).digest !== undefined)
    throw invalid(text, "an image in an archive is named by a tag, not by a digest");
  return { transport: "docker-archive", path, tag: rest };
}

function parseDaemon(details: string, text: string): PlaceName {
  required(details, text, "image");
  if (tryParseDigest(details) !== undefined) return { transport: "docker-daemon", id: details };
  const reference = parseReference(details);
  if (reference.tag === undefined && reference.digest === undefined) {
    throw invalid(text, "docker-daemon: an image of the daemon is named with its tag or digest");
  }
  return { transport: "docker-daemon", reference };
}

function parseStorage(details: string, text: string): PlaceName {
  if (details.startsWith("[")) throw invalid(text, "another store is chosen with --root and not in brackets");
  return { transport: "containers-storage", name: required(details, text, "image") };
}
