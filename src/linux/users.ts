/**
 * Users and groups of an image, from the text of its /etc/passwd and /etc/group (passwd(5), group(5)).
 *
 * The meaning of a `USER` value is docker's: a number is an ID and never a name, the first matching line wins, supplementary
 * groups come from the group file only where the value names no group.
 */
import { GalleyError } from "../errors.ts";

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** A process's credentials. `additionalGids` begins with `gid`, so that dropping the primary group does not shed a denial. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From the passwd file; `/` where the user has no line or no directory. */
  readonly home: string;
}

/** The texts of the image's files; absent where it has none. */
export interface UserFiles {
  readonly passwd?: string;
  readonly group?: string;
}

/** The kernel takes IDs up to 2^32 - 2; docker stops at 2^31 - 1, and so do file formats with signed fields. */
const MAX_ID = 2 ** 31 - 1;

/** Entries in the order of the file; short lines keep empty fields, IDs that are no numbers count as 0, as everywhere else. */
export function parsePasswd(text: string): PasswdEntry[] {
  return records(text).map(([name = "", , uid, gid, , home = "", shell = ""]) => ({
    name,
    uid: idOf(uid),
    gid: idOf(gid),
    home,
    shell,
  }));
}

/** Entries in the order of the file. */
export function parseGroup(text: string): GroupEntry[] {
  return records(text).map(([name = "", , gid, members = ""]) => ({
    name,
    gid: idOf(gid),
    members: members === "" ? [] : members.split(","),
  }));
}

function records(text: string): string[][] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(":"));
}

function idOf(field: string | undefined): number {
  return field !== undefined && /^[0-9]+$/.test(field) ? Number(field) : 0;
}

/**
 * Credentials for a `USER` value: empty (root), `name`, `uid`, `name:group`, `uid:gid`, and mixtures.
 * Throws `invalid_argument` for a name that the files do not have and for an ID out of range.
 */
export function resolveUser(spec: string, files: UserFiles): ResolvedUser {
  const colon = spec.indexOf(":");
  const userPart = colon < 0 ? spec : spec.slice(0, colon);
  const groupPart = colon < 0 ? "" : spec.slice(colon + 1);
  const user = findUser(userPart, files);
  if (groupPart !== "") {
    const gid = findGroup(groupPart, files);
    return { uid: user.uid, gid, additionalGids: [gid], home: user.home };
  }
  const groups =
    user.name === "" ? [] : parseGroup(files.group ?? "").filter((group) => group.members.includes(user.name));
  const additionalGids = [...new Set([user.gid, ...groups.map((group) => group.gid)])];
  return { uid: user.uid, gid: user.gid, additionalGids, home: user.home };
}

interface FoundUser {
  /** Empty where only a number is known. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function findUser(text: string, files: UserFiles): FoundUser {
  const uid = text === "" ? 0 : numericId(text);
  const entries = parsePasswd(files.passwd ?? "");
  const found = entries.find((entry) => (uid === undefined ? entry.name === text : entry.uid === uid));
  if (found !== undefined) return { ...found, home: found.home === "" ? "/" : found.home };
  if (uid === undefined) throw unknown("user", text, "passwd");
  return { name: "", uid, gid: 0, home: "/" };
}

function findGroup(text: string, files: UserFiles): number {
  const gid = numericId(text);
  if (gid !== undefined) return gid;
  const found = parseGroup(files.group ?? "").find((entry) => entry.name === text);
  if (found === undefined) throw unknown("group", text, "group");
  return found.gid;
}

/** The IDs of `--group-add`: names of the image's group file, or numbers whether it has them or not. Without repetitions. */
export function resolveGroups(groups: readonly string[], files: UserFiles): number[] {
  return [...new Set(groups.map((group) => findGroup(group, files)))];
}

/** Undefined for a name. */
function numericId(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const id = Number(text);
  if (id >= 0 && id <= MAX_ID) return id;
  throw new GalleyError("invalid_argument", `uids and gids must be in range 0-${MAX_ID}`, { subject: text });
}

function unknown(kind: "user" | "group", name: string, file: string): GalleyError {
  return new GalleyError("invalid_argument", `unable to find ${kind} ${name}: no matching entries in ${file} file`, {
    hint: `add the ${kind} to the image's /etc/${file}, or give its number`,
  });
}
