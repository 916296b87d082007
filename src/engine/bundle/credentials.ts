import { readImageFile } from "../../image/snapshot/read-image-file.ts";
import { type ResolvedUser, resolveGroups, resolveUser } from "../../linux/users.ts";
import type { ProcessConfig } from "../../spec/runtime.ts";

/** Larger than any passwd file that is one. */
const MAX_FILE = 16 << 20;

export interface Credentials {
  readonly user: ProcessConfig["user"];
  readonly home: string;
}

/**
 * Who a process is, by the container's own passwd and group files.
 * @param layers the directories that make the container's root, topmost first, its own among them
 * @throws `invalid_argument` for names that those do not have
 */
export async function credentialsOf(
  user: string,
  groupAdd: readonly string[],
  layers: readonly string[],
): Promise<Credentials> {
  const [passwd, group] = await Promise.all([readText(layers, "/etc/passwd"), readText(layers, "/etc/group")]);
  const files = { ...(passwd === undefined ? {} : { passwd }), ...(group === undefined ? {} : { group }) };
  const found: ResolvedUser = resolveUser(user, files);
  const more = groupAdd.length === 0 ? [] : resolveGroups(groupAdd, files);
  return {
    user: { uid: found.uid, gid: found.gid, additionalGids: [...new Set([...found.additionalGids, ...more])] },
    home: found.home,
  };
}

async function readText(layers: readonly string[], path: string): Promise<string | undefined> {
  const content = await readImageFile(layers, path, MAX_FILE);
  return content === undefined ? undefined : new TextDecoder().decode(content);
}
