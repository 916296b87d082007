import type { SeccompConfig } from "../../spec/runtime.ts";
import type { Machine } from "./numbers.ts";
import { prebuilt } from "./prebuilt.ts";
import { originOf } from "./ready-programs.ts";

/** Raised when the same configuration compiles to another program, but the default profile to the same. */
const COMPILER_VERSION = 1;

/**
 * A name for the program of a configuration, 64 hexadecimal digits: equal configurations have equal names. For keeping compiled
 * programs in a directory that only their owner may write to. The default profile's program is a part of it, which changes with
 * the profile, the tables of calls and the compiler.
 */
export function filterKey(config: SeccompConfig, native: Machine): string {
  const content = originOf(config, native)?.name ?? config;
  const text = JSON.stringify([COMPILER_VERSION, native, prebuilt, content], (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
