import type { Setting } from "./cases.ts";

/** Whether somebody is to be measured beside Galley, and his program is there. */
export function isWanted({ peers }: Pick<Setting, "peers">, name: string): boolean {
  return (peers.length === 0 || peers.includes(name)) && Bun.which(name) !== null;
}

/** The image of `--large`, without which a case cannot be. */
export function largeImage({ subject }: Setting): string {
  if (subject.large === "") throw new Error("--large HOST/NAME:TAG, an image in a registry without TLS, is needed");
  return subject.large;
}

/** podman with a store of its own. */
export function podmanAt(folder: string): readonly string[] {
  const at = ["--root", `${folder}/podman`, "--runroot", `${folder}/podman-run`];
  return ["podman", ...at, "--storage-driver", "overlay"];
}
