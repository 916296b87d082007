/** Rules about the seccomp configuration. */
import type { SeccompConfig } from "../runtime.ts";
import { type Check, error, type Problem, type Vocabulary, when } from "./problem.ts";

const field = "linux.seccomp";

function unknown(value: string, known: readonly string[], place: string, what: string): readonly Problem[] {
  return when(
    !known.includes(value),
    error(place, `unknown ${what} ${JSON.stringify(value)}`, `use one of ${known.join(", ")}`),
  );
}

/** Every action, operator, architecture and flag has a name that is known. */
export const seccompNames: Check = ({ linux }, { vocabulary }) => {
  const config = linux?.seccomp;
  if (config === undefined) return [];
  const { architectures = [], flags = [], syscalls = [] } = config;
  return [
    ...unknown(config.defaultAction, vocabulary.seccompActions, `${field}.defaultAction`, "action"),
    ...architectures.flatMap((name, index) =>
      unknown(name, vocabulary.seccompArchitectures, `${field}.architectures[${index}]`, "architecture"),
    ),
    ...flags.flatMap((name, index) => unknown(name, vocabulary.seccompFlags, `${field}.flags[${index}]`, "flag")),
    ...syscalls.flatMap((rule, index) => ruleProblems(rule, vocabulary, `${field}.syscalls[${index}]`)),
  ];
};

function ruleProblems(
  { names, action, args = [] }: NonNullable<SeccompConfig["syscalls"]>[number],
  vocabulary: Vocabulary,
  place: string,
): readonly Problem[] {
  return [
    ...when(names.length === 0 || names.includes(""), error(`${place}.names`, "must name system calls")),
    ...unknown(action, vocabulary.seccompActions, `${place}.action`, "action"),
    ...args.flatMap(({ index, op }, position) => [
      ...when(
        index > 5,
        error(
          `${place}.args[${position}].index`,
          `a system call has no argument ${index}`,
          "arguments are numbered 0 to 5",
        ),
      ),
      ...unknown(op, vocabulary.seccompOperators, `${place}.args[${position}].op`, "operator"),
    ]),
  ];
}

const ERRNO = "SCMP_ACT_ERRNO";
/** The kernel's MAX_ERRNO; and what else an action carries has 16 bits. */
const MOST_ERRNO = 4095;
const MOST_DATA = 0xffff;

function returnProblems(action: string, value: number | undefined, place: string): readonly Problem[] {
  if (value === undefined) return [];
  if (action !== ERRNO && action !== "SCMP_ACT_TRACE") {
    return [error(place, `${action} returns no error number`, "leave it out, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE")];
  }
  const most = action === ERRNO ? MOST_ERRNO : MOST_DATA;
  return when(value > most, error(place, `must be at most ${most}, is ${value}`));
}

/** Two actions return an error number, the others must have none (config-linux.md, "Seccomp"). */
export const seccompReturns: Check = ({ linux }) => {
  const config = linux?.seccomp;
  if (config === undefined) return [];
  return [
    ...returnProblems(config.defaultAction, config.defaultErrnoRet, `${field}.defaultErrnoRet`),
    ...(config.syscalls ?? []).flatMap(({ action, errnoRet }, index) =>
      returnProblems(action, errnoRet, `${field}.syscalls[${index}].errnoRet`),
    ),
  ];
};

/** Who asks another process about calls must say where it listens, and must leave what hands the listener over alone. */
export const seccompNotify: Check = ({ linux }) => {
  const config = linux?.seccomp;
  if (config === undefined) return [];
  const notifies = "SCMP_ACT_NOTIFY";
  const { syscalls = [], listenerPath = "", listenerMetadata = "" } = config;
  const rules = syscalls.map((rule, index) => ({ ...rule, index })).filter(({ action }) => action === notifies);
  return [
    ...when(
      config.defaultAction === notifies,
      error(`${field}.defaultAction`, "SCMP_ACT_NOTIFY cannot be used as default action"),
    ),
    ...rules.flatMap(({ names, index }) =>
      when(
        names.includes("write"),
        error(`${field}.syscalls[${index}].action`, "SCMP_ACT_NOTIFY cannot be used for the write syscall"),
      ),
    ),
    ...when(rules.length > 0 && listenerPath === "", error(`${field}.listenerPath`, "is required by SCMP_ACT_NOTIFY")),
    ...when(
      listenerPath !== "" && !listenerPath.startsWith("/"),
      error(`${field}.listenerPath`, "must be an absolute path"),
    ),
    ...when(listenerMetadata !== "" && listenerPath === "", error(`${field}.listenerMetadata`, "needs listenerPath")),
  ];
};
