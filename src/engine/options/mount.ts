import type { MountRequest } from "../types.ts";
import { checkVolumeName } from "../volumes/name.ts";
import { splitCsv } from "./csv.ts";
import { invalidOption } from "./invalid.ts";
import { type Draft, mountKeys } from "./mount-keys.ts";
import { mountTarget } from "./target.ts";

/** The types with options of their own, whose names begin with the type. */
const families = ["bind", "volume", "tmpfs"];

/**
 * Reads `--mount`: `type=…,source=…,target=…` and docker's further keys, as one line of comma-separated values. Without a type
 * it is a volume. Throws `invalid_argument` in docker's words.
 */
export function parseMount(text: string): MountRequest {
  if (text === "") throw invalidOption("value is empty");
  const given: string[] = [];
  let draft: Draft = { type: "volume" };
  for (const field of splitCsv(text)) {
    const [name, added] = readField(field, draft);
    given.push(name);
    draft = { ...draft, ...added };
  }
  if (draft.type === "") throw invalidOption("type is required");
  refuseMixture(draft.type, given);
  return finish(draft);
}

function readField(field: string, draft: Draft): readonly [name: string, added: Partial<Draft>] {
  const at = field.indexOf("=");
  const written = at < 0 ? field : field.slice(0, at);
  const name = written.toLowerCase();
  const key = Object.hasOwn(mountKeys, name) ? mountKeys[name] : undefined;
  if (key === undefined && at >= 0) {
    throw invalidOption(
      `unexpected key '${written}' in '${field}'`,
      `known keys are ${Object.keys(mountKeys).join(", ")}`,
    );
  }
  const value = at < 0 ? key?.bare : field.slice(at + 1);
  if (key === undefined || value === undefined) {
    throw invalidOption(`invalid field '${field}' must be a key=value pair`);
  }
  return [name, key.read(value, draft)];
}

function refuseMixture(type: string, given: readonly string[]): void {
  for (const family of families) {
    if (family !== type && given.some((name) => name.startsWith(`${family}-`))) {
      throw invalidOption(`cannot mix '${family}-*' options with mount type '${type}'`);
    }
  }
}

function finish({ type, target = "", ...rest }: Draft): MountRequest {
  if (target === "") throw invalidOption("target is required");
  switch (type) {
    case "bind":
      return finishBind({ ...rest, type, target: mountTarget(target, type) });
    case "volume":
      return finishVolume({ ...rest, type, target: mountTarget(target, type) });
    case "tmpfs":
      if (rest.source) throw invalidOption('invalid mount config for type "tmpfs": field Source must not be specified');
      return { ...rest, type, target: mountTarget(target, type) };
    default:
      throw invalidOption(
        `invalid mount config for type "${type}": mount type unknown`,
        "known are bind, volume and tmpfs",
      );
  }
}

function finishBind(mount: MountRequest): MountRequest {
  const { source = "", readonlyRecursive: below } = mount;
  if (source === "") throw invalidOption('invalid mount config for type "bind": field Source must not be empty');
  if (!source.startsWith("/")) {
    throw invalidOption(
      `invalid mount config for type "bind": invalid mount path: '${source}' mount path must be absolute`,
    );
  }
  const needsReadonly = below === "writable" || below === "readonly";
  if (needsReadonly && mount.readonly !== true) throw conjunction(`bind-recursive=${below}`, "readonly");
  if (below === "readonly" && mount.propagation !== "rprivate") {
    throw conjunction("bind-recursive=readonly", "bind-propagation=rprivate");
  }
  return mount;
}

function conjunction(option: string, needed: string): Error {
  return invalidOption(`option '${option}' requires '${needed}' to be specified in conjunction`);
}

function finishVolume(mount: MountRequest): MountRequest {
  const { source, ...anonymous } = mount;
  if (source === undefined || source === "") return anonymous;
  checkVolumeName(source);
  return mount;
}
