/** A few of the rounds that `npm run test:collection` goes on with for as long as one likes. */
import { expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { collectionRounds } from "./rounds.ts";

testWith(
  { root: true, commands: ["docker-registry"] },
  "pulls, loads, runs, commits, removals and prunes at once, some killed: images stay whole, and nothing is left",
  async () => {
    expect(await collectionRounds({ seed: 7, rounds: 4 })).toEqual([]);
  },
  180_000,
);
