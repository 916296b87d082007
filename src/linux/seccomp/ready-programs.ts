/** Programs of configurations that need no compiling, by the configuration's identity: they were made from it before. */
import type { SeccompConfig } from "../../spec/runtime.ts";
import type { Machine } from "./numbers.ts";

interface ReadyProgram {
  readonly native: Machine;
  readonly program: () => Uint8Array;
}

const ready = new WeakMap<SeccompConfig, ReadyProgram>();

/** Promises that `program` gives what compiling `config` for `native` would. */
export function rememberProgram(config: SeccompConfig, native: Machine, program: () => Uint8Array): void {
  ready.set(config, { native, program });
}

/** The program of this very configuration, if one was remembered for the machine. */
export function readyProgram(config: SeccompConfig, native: Machine): Uint8Array | undefined {
  const found = ready.get(config);
  return found?.native === native ? found.program() : undefined;
}
