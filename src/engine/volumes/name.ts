import { GalleyError } from "../../errors.ts";

/** As docker has it: a name is at least two characters long, and never leads out of its directory. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Names become names of directories, which end at 255 bytes. */
const MAX_LENGTH = 255;

/** Throws `invalid_argument`, in docker's words, for what cannot be a volume's name. */
export function checkVolumeName(name: string): void {
  if (namePattern.test(name) && name.length <= MAX_LENGTH) return;
  if (name.length === 1) {
    throw new GalleyError(
      "invalid_argument",
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (name.length > MAX_LENGTH) {
    throw new GalleyError(
      "invalid_argument",
      `create ${name.slice(0, 20)}…: volume name is longer than ${MAX_LENGTH} characters`,
    );
  }
  throw new GalleyError(
    "invalid_argument",
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    { hint: "if you intended to pass a host directory, use an absolute path" },
  );
}

/** Whether a name is one that was made up for an anonymous volume: 64 hexadecimal digits. */
export function isAnonymousName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
