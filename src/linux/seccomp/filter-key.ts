import type { SeccompConfig } from "../../spec/runtime.ts";
import type { Machine } from "./numbers.ts";

/** Raised whenever the same configuration compiles to another program: with the tables of calls and with the compiler. */
const COMPILER_VERSION = 1;

/**
 * A name for the program of a configuration, 64 hexadecimal digits: equal configurations have equal names. For keeping compiled
 * programs in a directory that only their owner may write to.
 */
export function filterKey(config: SeccompConfig, native: Machine): string {
  const text = JSON.stringify([COMPILER_VERSION, native, config], (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
