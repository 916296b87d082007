/** Rules about device nodes and hooks: what is made in the container and run beside it. */
import type { DeviceConfig, HooksConfig } from "../runtime.ts";
import { type Check, error, type Problem, warning, when } from "./problem.ts";

/** A node has an absolute path of its own and, unless it is a FIFO, a number. */
export const deviceNodes: Check = ({ linux }) => {
  const list = linux?.devices ?? [];
  return list.flatMap((device, index) => [
    ...nodeProblems(device, `linux.devices[${index}]`),
    ...when(
      list.findIndex(({ path }) => path === device.path) < index,
      warning(`linux.devices[${index}].path`, `${device.path} is there already; the first one counts`),
    ),
  ]);
};

function nodeProblems({ path, type, major, minor }: DeviceConfig, field: string): readonly Problem[] {
  const isNumber = (value: number | undefined, max: number): boolean =>
    value !== undefined && value >= 0 && value <= max;
  return [
    ...when(!path.startsWith("/"), error(`${field}.path`, "must be an absolute path")),
    ...when(
      type !== "p" && !isNumber(major, 0xfff),
      error(`${field}.major`, "a device needs a major number from 0 to 4095"),
    ),
    ...when(
      type !== "p" && !isNumber(minor, 0xfffff),
      error(`${field}.minor`, "a device needs a minor number from 0 to 1048575"),
    ),
  ];
}

const kinds = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const satisfies (keyof HooksConfig)[];

/** A hook is an absolute path, its time-out more than nothing, its environment assignments. */
export const hooks: Check = (config) =>
  kinds.flatMap((kind) =>
    (config.hooks?.[kind] ?? []).flatMap(({ path, timeout, env = [] }, index) => {
      const field = `hooks.${kind}[${index}]`;
      return [
        ...when(!path.startsWith("/"), error(`${field}.path`, "must be an absolute path")),
        ...when(
          timeout !== undefined && timeout <= 0,
          error(`${field}.timeout`, `must be more than 0 seconds, is ${timeout}`),
        ),
        ...env.flatMap((one, place) =>
          when(!/^[^=]+=/.test(one), error(`${field}.env[${place}]`, "must be of the form NAME=value")),
        ),
      ];
    }),
  );
