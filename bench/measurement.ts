import { rotated } from "./statistics.ts";

/** What one contestant did in one kind of work. */
export interface Row {
  /** The work, in words; its unit is the case's. */
  readonly work: string;
  readonly unit: "ms" | "KiB";
  /** Samples by contestant, in the order of the rounds. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

/** One sample of one contestant. */
export type Sampler = () => number | Promise<number>;

/**
 * Takes `rounds` samples of each, a round being one sample of everybody, so that what else the machine does meets all alike.
 * One round before is not counted: it fills the caches.
 */
export async function interleave(
  samplers: Readonly<Record<string, Sampler>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const names = Object.keys(samplers);
  const samples: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await samplers[name]?.();
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) {
      const sample = await samplers[name]?.();
      if (sample !== undefined) samples[name]?.push(sample);
    }
  }
  return samples;
}

/** Runs a command that must succeed; its wall time in milliseconds. What it leaves running must not hold a pipe: `errors` is "ignore" then. */
export function timed(command: readonly string[], errors: "pipe" | "ignore" = "pipe"): number {
  const start = Bun.nanoseconds();
  const child = Bun.spawnSync([...command], { stdio: ["ignore", "ignore", errors] });
  const elapsed = (Bun.nanoseconds() - start) / 1e6;
  if (child.exitCode !== 0)
    throw new Error(`${command.join(" ")}: exit status ${child.exitCode}: ${child.stderr?.toString() ?? ""}`);
  return elapsed;
}

/** Runs a command that must succeed; its output without blanks around it. */
export function output(command: readonly string[]): string {
  const child = Bun.spawnSync([...command], { stdio: ["ignore", "pipe", "pipe"] });
  if (child.exitCode !== 0)
    throw new Error(`${command.join(" ")}: exit status ${child.exitCode}: ${child.stderr.toString()}`);
  return child.stdout.toString().trim();
}

/** Starts all commands at once; the time from the first start to each one's end, in milliseconds. */
export async function together(commands: readonly (readonly string[])[]): Promise<number[]> {
  const start = Bun.nanoseconds();
  return Promise.all(
    commands.map(async (command) => {
      const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "pipe"] });
      const status = await child.exited;
      const elapsed = (Bun.nanoseconds() - start) / 1e6;
      if (status !== 0)
        throw new Error(`${command.join(" ")}: exit status ${status}: ${await new Response(child.stderr).text()}`);
      return elapsed;
    }),
  );
}
