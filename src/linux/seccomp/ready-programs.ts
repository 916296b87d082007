/** What is known of configurations by their identity: a program that was made from them before, and a name. */
import type { SeccompConfig } from "../../spec/runtime.ts";
import type { Machine } from "./numbers.ts";

/** What the maker of a configuration knows about it. */
export interface Origin {
  /** The machine that it was made for. */
  readonly native: Machine;
  /** Configurations of equal names are equal, in this release. */
  readonly name: string;
  /** Gives what compiling the configuration for `native` would. */
  readonly program?: () => Uint8Array;
}

const origins = new WeakMap<SeccompConfig, Origin>();

/** Remembers where a configuration comes from, which is never changed afterwards. */
export function rememberOrigin(config: SeccompConfig, origin: Origin): void {
  origins.set(config, origin);
}

/** The origin of this very configuration, if one was remembered for the machine. */
export function originOf(config: SeccompConfig, native: Machine): Origin | undefined {
  const found = origins.get(config);
  return found?.native === native ? found : undefined;
}

/** The program of this very configuration, if it needs no compiling. */
export function readyProgram(config: SeccompConfig, native: Machine): Uint8Array | undefined {
  return originOf(config, native)?.program?.();
}
