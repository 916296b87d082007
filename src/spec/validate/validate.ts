/**
 * Validation of a runtime configuration, before anything is made: a flat list of rules (checks.ts), each of which names the field
 * that breaks it. The rules are those of the runtime specification and of the kernel.
 */
import { GalleyError } from "../../errors.ts";
import type { ProcessConfig, RuntimeConfig } from "../runtime.ts";
import { checks, processChecks } from "./checks.ts";
import { readJson } from "./json.ts";
import type { Problem, ValidationContext } from "./problem.ts";
import { processShape, runtimeShape } from "./runtime-shape.ts";
import type { Shape } from "./shape.ts";

/** Everything that is wrong with a configuration whose types are right. */
export function findProblems(config: RuntimeConfig, context: ValidationContext): readonly Problem[] {
  return Object.values(checks).flatMap((check) => check(config, context));
}

/** Checks a configuration. Throws `invalid_argument` with all errors; the warnings are the result. */
export function validateConfig(config: RuntimeConfig, context: ValidationContext): readonly Problem[] {
  const problems = findProblems(config, context);
  refuse(problems);
  return problems;
}

/** So many problems are told beside the first. */
const TOLD = 9;

/** The same for the process of a configuration alone. */
export function validateProcess(config: RuntimeConfig, context: ValidationContext): readonly Problem[] {
  const problems = Object.values(processChecks).flatMap((check) => check(config, context));
  refuse(problems);
  return problems;
}

/** Throws if a problem is an error: the first one's field is the error's subject, further ones are told in its message. */
export function refuse(problems: readonly Problem[]): void {
  const [first, ...others] = problems.filter(({ severity }) => severity === "error");
  if (first === undefined) return;
  const told = others.slice(0, TOLD).map(({ field, message }) => `; ${field}: ${message}`);
  const more = others.length > TOLD ? `; and ${others.length - TOLD} more` : "";
  throw new GalleyError("invalid_argument", `${first.message}${told.join("")}${more}`, {
    op: "validate",
    subject: first.field,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}

/**
 * Reads config.json and checks the types of what it holds, not yet its rules. `file` names it in errors. Null is "not given", fields
 * that are not known are kept, and seccomp's 64-bit values keep all their digits.
 */
export function parseConfig(text: string, file: string): RuntimeConfig {
  const config = parseShaped(text, file, runtimeShape) as RuntimeConfig;
  return config.process === undefined ? config : { ...config, process: withUser(config.process) };
}

/** Reads a process, as `exec --process` takes it. */
export function parseProcess(text: string, file: string): ProcessConfig {
  return withUser(parseShaped(text, file, processShape) as ProcessConfig);
}

/** Without a user, or without a number, it is root: so other runtimes read what has been left out. */
function withUser(process: ProcessConfig): ProcessConfig {
  const user: Partial<ProcessConfig["user"]> | undefined = process.user;
  return { ...process, user: { uid: 0, gid: 0, ...user } };
}

/** Reads a part of a configuration, such as resources for an update, by its shape. */
export function parseShaped(text: string, file: string, shape: Shape): unknown {
  const value = parseJson(text, file);
  const problems: Problem[] = [];
  shape(value, "", problems);
  refuse(problems.map((one) => ({ ...one, field: `${file}: ${one.field}` })));
  return value;
}

function parseJson(text: string, file: string): unknown {
  try {
    return readJson(text);
  } catch (cause) {
    throw new GalleyError("invalid_argument", "is not JSON", { op: "read", subject: file, cause });
  }
}
