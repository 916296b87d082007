/** Rules about the process. */
import type { ProcessConfig } from "../runtime.ts";
import { type Check, error, type Problem, warning, when } from "./problem.ts";

/**
 * Version 1 of the specification, as SemVer writes it, whatever its minor number: fields it adds are ignored by those that do not know
 * them.
 */
export const specVersion: Check = ({ ociVersion }) => {
  const match = /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.exec(
    ociVersion,
  );
  return when(
    match?.[1] !== "1",
    error(
      "ociVersion",
      `version ${JSON.stringify(ociVersion)} is not supported`,
      "this runtime follows version 1: write 1.3.0",
    ),
  );
};

/** A key of an annotation is not empty. */
export const annotations: Check = ({ annotations: all = {} }) =>
  when("" in all, error('annotations[""]', "a key must not be empty"));

/** The kernel counts rows and columns in 16 bits (ioctl_tty(2)); without a terminal its size is to be ignored. */
export const consoleSize: Check = ({ process }) =>
  (["height", "width"] as const).flatMap((name) => {
    const value = process?.terminal === true ? (process.consoleSize?.[name] ?? 0) : 0;
    return when(value > 0xffff, error(`process.consoleSize.${name}`, `must be at most 65535, is ${value}`));
  });

/** There is a process with a command. */
export const processCommand: Check = ({ process }) => {
  if (process === undefined) return [error("process", "is required: process property must not be empty")];
  return processProblems(process, "process");
};

/** The rules of a process alone, also of one that is added to a container. */
export function processProblems({ args, cwd, env = [] }: ProcessConfig, field: string): readonly Problem[] {
  return [
    ...when((args ?? []).length === 0, error(`${field}.args`, "args must not be empty")),
    ...when(args?.[0] === "", error(`${field}.args[0]`, "must not be empty")),
    ...when(!cwd.startsWith("/"), error(`${field}.cwd`, "must be an absolute path")),
    ...(args ?? []).flatMap((one, index) =>
      when(one.includes("\0"), error(`${field}.args[${index}]`, "contains nul byte (\\x00)")),
    ),
    ...env.flatMap((one, index) =>
      when(
        !/^[^=]+=[^\0]*$/.test(one),
        error(`${field}.env[${index}]`, `must be of the form NAME=value, is ${JSON.stringify(one)}`),
      ),
    ),
  ];
}

/** Only permission bits can be masked. */
export const umask: Check = ({ process }) =>
  when((process?.user?.umask ?? 0) > 0o777, error("process.user.umask", "must be at most 0777"));

const sets = ["bounding", "effective", "inheritable", "permitted", "ambient"] as const;

/** A name that this kernel or this runtime does not know cannot be granted; as other runtimes, go on without it. */
export const capabilityNames: Check = ({ process }, { vocabulary }) =>
  sets.flatMap((set) =>
    (process?.capabilities?.[set] ?? []).flatMap((name, index) =>
      when(
        !vocabulary.isCapability(name),
        warning(`process.capabilities.${set}[${index}]`, `unknown capability ${JSON.stringify(name)} is left out`),
      ),
    ),
  );

/** The kernel's rules (capabilities(7)): effective within permitted; ambient within permitted and inheritable. */
export const capabilitySets: Check = ({ process }) => {
  const { effective = [], permitted = [], inheritable = [], ambient = [] } = process?.capabilities ?? {};
  return [
    ...effective.flatMap((name, index) =>
      when(
        !permitted.includes(name),
        error(`process.capabilities.effective[${index}]`, `${name} is not among the permitted ones`),
      ),
    ),
    ...ambient.flatMap((name, index) =>
      when(
        !permitted.includes(name) || !inheritable.includes(name),
        warning(
          `process.capabilities.ambient[${index}]`,
          `can't raise ambient capability ${name}: it is not both permitted and inheritable`,
        ),
      ),
    ),
  ];
};

/** Each limit is one that the kernel has, there once, the soft one not above the hard one. */
export const rlimits: Check = ({ process }, { vocabulary }) => {
  const list = process?.rlimits ?? [];
  return list.flatMap(({ type, soft, hard }, index) => {
    const field = `process.rlimits[${index}]`;
    const isAbove = hard >= 0 && (soft < 0 || soft > hard);
    return [
      ...when(
        !vocabulary.isRlimit(type),
        error(`${field}.type`, `unknown limit ${JSON.stringify(type)}`, "names begin with RLIMIT_, as RLIMIT_NOFILE"),
      ),
      ...when(
        list.findIndex((other) => other.type === type) < index,
        error(`${field}.type`, `${type} is there already`),
      ),
      ...when(isAbove, error(`${field}.soft`, `${soft} is above the hard limit ${hard}`)),
    ];
  });
};

/** proc_pid_oom_score_adj(5). */
export const oomScore: Check = ({ process }) => {
  const value = process?.oomScoreAdj ?? 0;
  return when(
    value < -1000 || value > 1000,
    error("process.oomScoreAdj", `must be between -1000 and 1000, is ${value}`),
  );
};
