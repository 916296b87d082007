/** The last part of the name that the program was called by, through a link or not; the launcher tells it in GALLEY_ARGV0. */
export function calledName(): string {
  const word = process.env.GALLEY_ARGV0 ?? process.argv0;
  return word.slice(word.lastIndexOf("/") + 1);
}

/** Names under which the whole program is the OCI runtime, as managers call it. */
export const runtimeNames: readonly string[] = ["runc", "crun", "galley-runtime"];

/** Whether the program was called by skopeo's name, and so takes skopeo's command line. */
export function isSkopeo(): boolean {
  return calledName() === "skopeo";
}

/** How the program calls itself in its help. */
export function shownName(): string {
  return isSkopeo() ? "skopeo" : "galley";
}
