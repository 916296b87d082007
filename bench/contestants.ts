import { succeeds } from "./daemon.ts";
import { output } from "./measurement.ts";

/** A program that takes docker's command line. */
export interface Contestant {
  readonly name: string;
  /** The program with the options that every call gets. */
  readonly program: readonly string[];
  /** Options of `pull` for a registry without TLS. */
  readonly pullOptions: readonly string[];
  /** Options of `rm` that kill at once, as docker's `-f` does; podman's waits for ten seconds before. */
  readonly removeOptions: readonly string[];
}

/** What the contestants run, and where the runtimes without images find it. */
export interface Subject {
  readonly image: string;
  /** An image with some large layers in a registry without TLS, `HOST/NAME:TAG`; empty where none was named. */
  readonly large: string;
  /** An OCI bundle whose process is `true`, with the image's content as its root. */
  readonly bundle: string;
}

/** The name of the container that a case keeps; a benchmark removes it before it begins, should an earlier one have died. */
export const KEPT = "galley-bench";

/** Galley itself, always the first. */
export function galley(program: string, store: string): Contestant {
  return {
    name: "galley",
    program: [program, "--root", `${store}/root`, "--runroot", `${store}/run`],
    pullOptions: [],
    removeOptions: ["-f"],
  };
}

/** Those of docker and podman that are there and answer. */
export function peers(): Contestant[] {
  const found: Contestant[] = [];
  if (Bun.which("docker") !== null && succeeds(["docker", "info"])) {
    found.push({ name: "docker", program: ["docker"], pullOptions: [], removeOptions: ["-f"] });
  }
  if (Bun.which("podman") !== null && succeeds(["podman", "info"])) {
    found.push({
      name: "podman",
      program: ["podman"],
      pullOptions: ["--tls-verify=false"],
      removeOptions: ["-f", "-t", "0"],
    });
  }
  return found;
}

/** The OCI runtimes that are there. */
export function runtimes(): string[] {
  return ["runc", "crun"].filter((name) => Bun.which(name) !== null);
}

/** Gets the image and removes what an earlier benchmark left. */
export function prepare(contestant: Contestant, image: string): void {
  removeAll(contestant);
  output([...contestant.program, "pull", "-q", ...contestant.pullOptions, image]);
}

/** Removes every container of a benchmark, running or not. */
export function removeAll(contestant: Contestant): void {
  const listed = output([...contestant.program, "ps", "-aq", "--filter", `name=${KEPT}`]);
  const ids = listed.split("\n").filter(Boolean);
  if (ids.length > 0) output([...contestant.program, "rm", ...contestant.removeOptions, ...ids]);
}
