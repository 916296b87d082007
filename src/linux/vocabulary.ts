import type { Vocabulary } from "../spec/validate/problem.ts";
import { capabilityNumber, lastCapability } from "./capabilities.ts";
import { mountWord } from "./mount-words.ts";
import { rlimitNumber } from "./rlimits.ts";
import { knownActions } from "./seccomp/actions.ts";
import { knownArchitectures } from "./seccomp/architectures.ts";
import { knownOperators } from "./seccomp/conditions.ts";
import { knownFlags } from "./seccomp/flags.ts";

/** The names that this program and the running kernel know, for the validation of configurations. */
export function linuxVocabulary(last: number = lastCapability()): Vocabulary {
  return {
    isCapability: (name) => (capabilityNumber(name) ?? last + 1) <= last,
    isRlimit: (type) => type.startsWith("RLIMIT_") && rlimitNumber(type) !== undefined,
    isMountWord: (option) => mountWord(option) !== undefined,
    seccompActions: knownActions,
    seccompOperators: knownOperators,
    seccompArchitectures: knownArchitectures(),
    seccompFlags: knownFlags,
  };
}
