import { join } from "node:path";
import { GalleyError } from "../../errors.ts";

/** The files of a container below the runtime's directory of state. */
export interface Home {
  readonly id: string;
  readonly directory: string;
  /** {@link ../oci/state.ts StoredState} as JSON; there once the container is created. */
  readonly state: string;
  /** The configuration that the container was made from, with the runtime's own additions. */
  readonly config: string;
  /** `PID STARTTIME` of the first process, written as soon as there is one. */
  readonly identity: string;
  /** The fifo at which a created container waits; under runc's name for it, which tools look for. */
  readonly gate: string;
  /** For the hooks before the start: `ready` is there when they may run, `done` tells the native program that they have. */
  readonly hooks: { readonly ready: string; readonly done: string };
  /** A directory, made where the container has a socket to tell its readiness through. */
  readonly notify: string;
  /** The recipe of the end, with the sections cleanup, remove, pause, resume and kill. */
  readonly recipe: string;
}

/**
 * Where a container is kept. Throws `invalid_argument` for an ID that is no name: letters, digits, `_`, `+`, `-` and `.`, as runc has
 * them.
 */
export function homeOf(root: string, id: string): Home {
  if (id === "") throw new GalleyError("invalid_argument", "container id cannot be empty");
  if (!/^[A-Za-z0-9_+.-]+$/.test(id) || id === "." || id === "..") {
    throw new GalleyError("invalid_argument", `invalid container ID format: ${JSON.stringify(id)}`, {
      hint: "it takes letters, digits, _, +, - and .",
    });
  }
  const directory = join(root, id);
  const at = (name: string): string => join(directory, name);
  return {
    id,
    directory,
    state: at("state.json"),
    config: at("config.json"),
    identity: at("identity"),
    gate: at("exec.fifo"),
    hooks: { ready: at("hooks-ready"), done: at("hooks-done") },
    notify: at("notify"),
    recipe: at("end"),
  };
}
