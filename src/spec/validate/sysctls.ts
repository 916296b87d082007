/** Which kernel parameters a container may set: those that its own namespaces keep apart from the host's (namespaces(7)). */
import type { NamespaceType, RuntimeConfig } from "../runtime.ts";
import { type Check, error, keyed, type Problem, type ValidationContext } from "./problem.ts";

/** Whether a container has a namespace of its own, not the runtime's. */
export type HasNamespace = (type: NamespaceType) => boolean;

const ipcParameters = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"].map(
  (name) => `kernel.${name}`,
);

/**
 * A name in dots. Names come dotted or slashed (sysctl(8)); the first separator tells which, and the other one is part of a name:
 * `net/ipv4/conf/eth0.1/forwarding` is `net.ipv4.conf.eth0/1.forwarding`.
 */
export function dottedSysctl(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== "/") return name;
  return name.replace(/[./]/g, (one) => (one === "/" ? "." : "/"));
}

/** Parts that would lead elsewhere in /proc/sys: none, and what is written `.` and `..` there. */
const strayParts = ["", "/", "//"];

/** Why a container may not set a parameter to a value; undefined where it may. */
export function sysctlProblem(name: string, value: string, has: HasNamespace): string | undefined {
  const dotted = dottedSysctl(name);
  if (dotted.split(".").some((part) => strayParts.includes(part))) return "is not the name of a sysctl";
  return namespaceProblem(dotted, has) ?? valueProblem(dotted, value);
}

function namespaceProblem(name: string, has: HasNamespace): string | undefined {
  const needed = neededNamespace(name);
  if (name === "kernel.hostname") return "is not allowed, as it conflicts with the field hostname";
  if (needed === undefined) return "is not in a separate kernel namespace";
  if (!has(needed)) return `is not allowed in the host's ${needed} namespace`;
  return undefined;
}

function neededNamespace(name: string): NamespaceType | undefined {
  if (ipcParameters.includes(name) || name.startsWith("fs.mqueue.")) return "ipc";
  if (name.startsWith("net.")) return "network";
  if (name === "kernel.domainname") return "uts";
  return name.startsWith("user.") ? "user" : undefined;
}

/** The kernel reads one line; where it reads numbers, nothing else is handed to it. */
function valueProblem(name: string, value: string): string | undefined {
  if (value === "") return "has no value";
  if (/[\n\0]/.test(value)) return "has a value of more than one line";
  if (name === "kernel.domainname") return value.length > 64 ? "is longer than 64 characters" : undefined;
  if (name === "kernel.sem") return numbers(value, 4) ? undefined : "takes four numbers";
  if (name === "kernel.shm_rmid_forced") return value === "0" || value === "1" ? undefined : "takes 0 or 1";
  const isNumeric = neededNamespace(name) === "ipc" || neededNamespace(name) === "user";
  return isNumeric && !numbers(value, 1) ? "takes a number" : undefined;
}

function numbers(value: string, count: number): boolean {
  const words = value.trim().split(/\s+/);
  return words.length === count && words.every((word) => /^-?[0-9]{1,20}$/.test(word));
}

/** Parameters are those of the container's own namespaces, with values that they take. */
export const sysctls: Check = (config, context) => {
  const has = ownNamespaces(config, context);
  return Object.entries(config.linux?.sysctl ?? {}).flatMap(([name, value]): Problem[] => {
    const message = sysctlProblem(name, value, has);
    return message === undefined ? [] : [error(keyed("linux.sysctl", name), message, hintFor(message))];
  });
};

function hintFor(message: string): string | undefined {
  const needed = /host's (\w+) namespace/.exec(message)?.[1];
  return needed === undefined ? undefined : `give the container a ${needed} namespace of its own`;
}

function ownNamespaces(config: RuntimeConfig, { isOwnNetwork }: ValidationContext): HasNamespace {
  return (type) => {
    const found = config.linux?.namespaces?.find((one) => one.type === type);
    if (found === undefined) return false;
    return type !== "network" || found.path === undefined || found.path === "" || isOwnNetwork?.(found.path) !== true;
  };
}
