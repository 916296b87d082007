import { GalleyError } from "../../errors.ts";
import type { MountRequest } from "../types.ts";
import { checkVolumeName } from "../volumes/name.ts";
import { invalidOption } from "./invalid.ts";
import { hostPath, mountTarget } from "./target.ts";

type Propagation = NonNullable<MountRequest["propagation"]>;

/** What each word of the options sets; words of one group exclude one another. */
const words: Readonly<Record<string, { readonly group: string; readonly sets: Partial<MountRequest> }>> = {
  rw: { group: "access", sets: {} },
  ro: { group: "access", sets: { readonly: true } },
  // Labels are for SELinux; where it does not run there is nothing to do.
  z: { group: "label", sets: {} },
  Z: { group: "label", sets: {} },
  consistent: { group: "consistency", sets: {} },
  cached: { group: "consistency", sets: {} },
  delegated: { group: "consistency", sets: {} },
  nocopy: { group: "copy", sets: { noCopy: true } },
  bind: { group: "recursion", sets: { nonRecursive: true } },
  rbind: { group: "recursion", sets: {} },
  ...Object.fromEntries(propagations().map((one) => [one, { group: "propagation", sets: { propagation: one } }])),
};

function propagations(): readonly Propagation[] {
  return ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
}

/**
 * Reads `-v`: `[SOURCE:]TARGET[:OPTIONS]`. A source with a slash in front (or a dot, for a path from here) is a path of the host,
 * any other one a volume's name; without a source the volume is an anonymous one. Throws `invalid_argument` in docker's words.
 */
export function parseVolume(text: string): MountRequest {
  const [first = "", second, mode, ...more] = text.split(":");
  if (mode !== undefined && more.length > 0) throw badSpecification(text);
  if (second === undefined) return volumeMount(text, undefined, first, {});
  if (first === "" || second === "" || (mode === undefined && isMode(second))) throw badSpecification(text);
  const options = mode === undefined ? {} : parseMode(mode);
  const source = hostPath(first);
  return source.startsWith("/") ? bindMount(text, source, second, options) : volumeMount(text, source, second, options);
}

function isMode(text: string): boolean {
  return text.split(",").every((word) => Object.hasOwn(words, word));
}

function parseMode(text: string): Partial<MountRequest> {
  const groups = new Set<string>();
  let options: Partial<MountRequest> = {};
  for (const word of text.split(",")) {
    const known = Object.hasOwn(words, word) ? words[word] : undefined;
    if (known === undefined || groups.has(known.group)) throw invalidMode(text);
    groups.add(known.group);
    options = { ...options, ...known.sets };
  }
  return options;
}

function invalidMode(text: string): GalleyError {
  return invalidOption(`invalid mode: ${text}`, `known are ${Object.keys(words).join(", ")}, one of a kind each`);
}

function bindMount(text: string, source: string, target: string, options: Partial<MountRequest>): MountRequest {
  if (options.noCopy === true) throw misplaced(text, "bind", "VolumeOptions");
  return { type: "bind", source, target: targetOf(text, target, "bind"), createSource: true, ...options };
}

function volumeMount(
  text: string,
  source: string | undefined,
  target: string,
  options: Partial<MountRequest>,
): MountRequest {
  if (options.propagation !== undefined || options.nonRecursive) throw misplaced(text, "volume", "BindOptions");
  const where = targetOf(text, target, "volume");
  if (source !== undefined) checkVolumeName(source);
  return { type: "volume", ...(source === undefined ? {} : { source }), target: where, ...options };
}

function targetOf(text: string, target: string, type: string): string {
  try {
    return mountTarget(target, type);
  } catch (failure) {
    throw failure instanceof GalleyError ? badSpecification(text, failure.message) : failure;
  }
}

function misplaced(text: string, type: string, field: string): GalleyError {
  return badSpecification(text, `invalid mount config for type "${type}": field ${field} must not be specified`);
}

function badSpecification(text: string, reason?: string): GalleyError {
  const message = `invalid volume specification: '${text}'${reason === undefined ? "" : `: ${reason}`}`;
  return invalidOption(message, "write [SOURCE:]TARGET[:OPTIONS], as in /data:/srv:ro");
}
