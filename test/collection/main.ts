/** `npm run test:collection -- [--minutes N] [--seed S]`: rounds until the time is over or something is wrong. */
import { parseArgs } from "node:util";
import { collectionRounds } from "./rounds.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } },
});
const first = Number(values.seed ?? Date.now() % 1_000_000);
const end = Date.now() + Number(values.minutes) * 60_000;
const report = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

// A new store every twenty rounds, so that the last prune is tried often.
for (let seed = first; Date.now() < end; seed++) {
  report(`seed ${seed}`);
  const faults = await collectionRounds({ seed, rounds: 20, end, report });
  for (const fault of faults) report(`FAULT ${fault}`);
  if (faults.length > 0) process.exit(1);
}
report("done: no faults");
