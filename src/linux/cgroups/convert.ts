/** Values of the OCI configuration, which is made for cgroup v1, as cgroup v2 takes them. Conversions are runc's and crun's. */
import { GalleyError } from "../../errors.ts";

/**
 * CPU shares (2 to 262144, default 1024) as a weight (1 to 10000, default 100). The curve goes through all three pairs, which a
 * line cannot; runc uses it since 1.3.2, crun since 1.23.
 */
export function cpuSharesToWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blkio weight (10 to 1000) as io.weight (1 to 10000), linearly. */
export function blkioWeightToIoWeight(weight: number): number {
  return 1 + Math.trunc(((weight - 10) * 9999) / 990);
}

/**
 * v1's limit of memory and swap together as v2's limit of swap alone; -1 is unlimited, undefined leaves it as it is.
 * Throws `invalid_argument` where the two contradict each other.
 */
export function swapAlone(swap: number | undefined, limit: number | undefined): number | undefined {
  if (swap === undefined || swap === 0) return limit === -1 ? -1 : undefined;
  if (swap === -1 || limit === -1) return swap;
  if (limit === undefined || limit === 0) throw swapError("a swap limit needs a memory limit");
  if (swap < limit) throw swapError("the limit of memory and swap together must not be lower than the memory limit");
  return swap - limit;
}

function swapError(message: string): GalleyError {
  return new GalleyError("invalid_argument", message, {
    subject: "linux.resources.memory.swap",
    hint: "set linux.resources.memory.limit too, at most as high",
  });
}

/** A limit as v2 files take it: -1 is `max`. */
export function limitOrMax(value: number): string {
  return value < 0 ? "max" : decimal(value);
}

/** All digits: String() of a number from 10^21 up has an exponent, and 2^63 must stay 9223372036854775808. */
export function decimal(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(Math.trunc(value)).toString();
}
