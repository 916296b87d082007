/** The last part of the name that the program was called by, through a link or not; the launcher tells it in GALLEY_ARGV0. */
export function calledName(): string {
  const word = process.env.GALLEY_ARGV0 ?? process.argv0;
  return word.slice(word.lastIndexOf("/") + 1);
}

/** Names under which the whole program is the OCI runtime, as managers call it. */
export const runtimeNames: readonly string[] = ["runc", "crun", "galley-runtime"];
