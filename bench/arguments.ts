import { parseArgs } from "node:util";

/** What a benchmark is asked to do. */
export interface Request {
  /** Names of cases; empty: all. */
  readonly cases: readonly string[];
  /** Names of the contestants beside Galley; empty: all that are found. */
  readonly peers: readonly string[];
  readonly rounds: number;
  readonly json: boolean;
  readonly help: boolean;
  /** The executable to measure, relative to the repository. */
  readonly program: string;
  /** The image in the registry that the benchmark started; set by bench/main.ts for bench/inside.ts. */
  readonly image: string;
  /** An image with some large layers in a registry without TLS, `HOST/NAME:TAG`; empty where none was named. */
  readonly large: string;
}

/** How the command is used. */
export const usage = `npm run bench -- [CASE...] [--rounds N] [--peers docker,podman] [--program dist/galley] [--large IMAGE] [--json]

Cases: version run exec rm ps parallel memory idle runtime registry (all of these, if none is named);
pull copy (of --large, an image in a registry without TLS), images, which take minutes.
Medians of Galley and of docker, podman, containerd, skopeo, runc and crun where they are found, taken in turns.
GALLEY_PEERS names a program that runs a command where the peers are: "$GALLEY_PEERS run COMMAND...", with the
working directory at /host; without it the peers are those of this machine. Needs root.`;

/** Reads the command line; fails on an unknown option or a number of rounds that is none. */
export function readArguments(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "15" },
      peers: { type: "string", default: "" },
      program: { type: "string", default: "dist/galley" },
      image: { type: "string", default: "" },
      large: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a whole number from 1 on`);
  const peers = values.peers.split(",").filter(Boolean);
  const { json, help, program, image, large } = values;
  return { cases: positionals, peers, rounds, json, help, program, image, large };
}
