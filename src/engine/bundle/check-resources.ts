/** The rules for limits, with docker's words; each breach is `invalid_argument`. */
import { GalleyError } from "../../errors.ts";
import type { ResourceRequest } from "../types.ts";
import { listProblem, parseKernelList } from "./kernel-list.ts";
import type { LimitFacts } from "./limit-facts.ts";

/** A first process with its program needs this much: less would only fail later and less clearly. */
const MINIMUM_MEMORY = 6 << 20;
const NANO = 1_000_000_000;

/** What can be had of the limits that were asked for, with a warning for each that cannot. */
export interface CheckedResources {
  readonly resources: ResourceRequest;
  readonly warnings: readonly string[];
}

/** Checks limits against each other and against the machine, and fills in the swap that docker gives where none was named. */
export function checkResources(request: ResourceRequest, facts: LimitFacts): CheckedResources {
  checkMemory(request);
  checkCpu(request, facts);
  checkCpuset(request, facts);
  const weight = request.blkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) {
    throw invalid("Range of blkio weight is from 10 to 1000");
  }
  return discardImpossible(withSwap(request), facts);
}

function checkMemory({ memory = 0, memoryReservation = 0, memorySwap = 0, memorySwappiness }: ResourceRequest): void {
  if (memory !== 0 && memory < MINIMUM_MEMORY) throw invalid("Minimum memory limit allowed is 6MB");
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
  }
  if (memory === 0 && memorySwap > 0) {
    throw invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
  }
  if (memorySwappiness !== undefined && (memorySwappiness < -1 || memorySwappiness > 100)) {
    throw invalid(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`);
  }
  if (memoryReservation > 0 && memoryReservation < MINIMUM_MEMORY) {
    throw invalid("Minimum memory reservation allowed is 6MB");
  }
  if (memory > 0 && memoryReservation > memory) {
    throw invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
  }
}

function checkCpu(
  { nanoCpus = 0, cpuPeriod = 0, cpuQuota = 0, cpuShares = 0 }: ResourceRequest,
  facts: LimitFacts,
): void {
  if (nanoCpus !== 0) {
    if (cpuPeriod > 0) throw invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
    if (cpuQuota > 0) throw invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    const count = facts.cpus().length;
    if (nanoCpus < NANO / 100 || nanoCpus > count * NANO) {
      throw invalid(`range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`);
    }
  }
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  }
  if (cpuQuota > 0 && cpuQuota < 1000) throw invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  if (cpuShares !== 0 && (cpuShares < 2 || cpuShares > 262_144)) {
    throw invalid(`invalid CPU shares (${cpuShares}): the range is from 2 to 262144`);
  }
}

function checkCpuset({ cpusetCpus = "", cpusetMems = "" }: ResourceRequest, facts: LimitFacts): void {
  const kinds = [
    ["cpus", "CPUs", cpusetCpus, facts.cpus],
    ["mems", "memory nodes", cpusetMems, facts.memoryNodes],
  ] as const;
  for (const [word, name, text, available] of kinds) {
    if (text === "") continue;
    const problem = listProblem(text);
    if (problem !== undefined) throw invalid(`Invalid value ${text} for cpuset ${word}: invalid format: ${problem}`);
    const there = available();
    if (parseKernelList(text).some((number) => !there.includes(number))) {
      throw invalid(`Requested ${name} are not available - requested ${text}, available: ${describe(there)}`);
    }
  }
}

function describe(numbers: readonly number[]): string {
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
  if (numbers.length !== last - first + 1) return numbers.join(",");
  return first === last ? String(first) : `${first}-${last}`;
}

/** docker gives as much swap as memory where swap is not spoken of. */
function withSwap(request: ResourceRequest): ResourceRequest {
  if (!request.memory || request.memorySwap) return request;
  return { ...request, memorySwap: request.memory * 2 };
}

const noSwap =
  "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.";
const noWeight = "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.";
const noSwappiness =
  "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.";
const noOomDisable = "Your kernel does not support OomKillDisable. OomKillDisable discarded.";
const noOomLimit =
  "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.";

function discardImpossible(request: ResourceRequest, facts: LimitFacts): CheckedResources {
  const warnings: string[] = [];
  const without = <K extends keyof ResourceRequest>(
    from: ResourceRequest,
    key: K,
    warning: string,
  ): ResourceRequest => {
    warnings.push(warning);
    return Object.fromEntries(Object.entries(from).filter(([name]) => name !== key));
  };
  let left = request;
  if (left.memorySwap && !facts.has("swap")) left = without(left, "memorySwap", noSwap);
  if (left.blkioWeight && !facts.has("blkioWeight")) left = without(left, "blkioWeight", noWeight);
  if (left.memorySwappiness !== undefined && left.memorySwappiness >= 0 && !facts.has("swappiness")) {
    left = without(left, "memorySwappiness", noSwappiness);
  }
  if (left.oomKillDisable && !facts.has("oomKillDisable")) left = without(left, "oomKillDisable", noOomDisable);
  if (left.oomKillDisable && !left.memory) warnings.push(noOomLimit);
  return { resources: left, warnings };
}

function invalid(message: string): GalleyError {
  return new GalleyError("invalid_argument", message);
}
