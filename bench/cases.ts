import { type Contestant, KEPT, removeAll, type Subject } from "./contestants.ts";
import { copy } from "./copy.ts";
import { images } from "./images.ts";
import { interleave, output, type Row, type Sampler, timed, together } from "./measurement.ts";
import { keptMemory, privateMemory, processes, processesNamed } from "./memory.ts";
import { pull } from "./pull.ts";
import { registry } from "./registry.ts";
import { runtime } from "./runtime.ts";
import { percentile } from "./statistics.ts";

/** What a case needs to know. */
export interface Setting {
  /** Galley first. */
  readonly contestants: readonly Contestant[];
  /** Names of those to measure beside; empty: all that are there. */
  readonly peers: readonly string[];
  /** Names of OCI runtimes. */
  readonly runtimes: readonly string[];
  readonly bun: string;
  readonly subject: Subject;
  readonly rounds: number;
}

/** One kind of work, or several that share a preparation. */
export type Case = (setting: Setting) => Promise<Row[]>;

const MANY = 200;
const AT_ONCE = 30;
const IDLE = 5;

/** Cases that run where none is named, by the name that selects them. */
export const cases: Readonly<Record<string, Case>> = {
  version,
  run,
  exec,
  rm,
  ps,
  parallel,
  memory,
  idle,
  runtime,
  registry,
};

/** Cases that take minutes, and need what the command line names: only those that are asked for. */
const longCases: Readonly<Record<string, Case>> = { pull, copy, images };

/** Every case that can be asked for. */
export const everyCase: Readonly<Record<string, Case>> = { ...cases, ...longCases };

function samplersOf(setting: Setting, sampler: (contestant: Contestant) => Sampler): Record<string, Sampler> {
  return Object.fromEntries(setting.contestants.map((contestant) => [contestant.name, sampler(contestant)]));
}

/** Numbers names, since a name is taken until its container is gone. */
function counter(): () => string {
  let used = 0;
  return () => `${KEPT}-${++used}`;
}

async function version(setting: Setting): Promise<Row[]> {
  const samplers = {
    ...samplersOf(
      setting,
      ({ program: [program = ""] }) =>
        () =>
          timed([program, "--version"]),
    ),
    ...Object.fromEntries(setting.runtimes.map((name) => [name, () => timed([name, "--version"])])),
    bun: () => timed([setting.bun, "--version"]),
  };
  return [{ work: "--version", unit: "ms", samples: await interleave(samplers, 2 * setting.rounds) }];
}

async function run(setting: Setting): Promise<Row[]> {
  const { subject, rounds } = setting;
  const name = counter();
  const ofRuntimes = (): Record<string, Sampler> =>
    Object.fromEntries(
      setting.runtimes.map((it) => [it, () => timed([it, "run", "--bundle", subject.bundle, name()])]),
    );
  const withNetwork = (...options: string[]) =>
    samplersOf(
      setting,
      ({ program }) =>
        () =>
          timed([...program, "run", "--rm", ...options, subject.image, "true"]),
    );
  return [
    {
      work: "run --rm IMAGE true, bridge network (runc, crun: bare run)",
      unit: "ms",
      samples: await interleave({ ...withNetwork(), ...ofRuntimes() }, rounds),
    },
    {
      work: "run --rm --network none IMAGE true",
      unit: "ms",
      samples: await interleave({ ...withNetwork("--network", "none"), ...ofRuntimes() }, rounds),
    },
  ];
}

async function exec(setting: Setting): Promise<Row[]> {
  for (const contestant of setting.contestants) start(contestant, setting.subject, KEPT);
  const samplers = samplersOf(
    setting,
    ({ program }) =>
      () =>
        timed([...program, "exec", KEPT, "true"]),
  );
  const samples = await interleave(samplers, setting.rounds);
  setting.contestants.forEach(removeAll);
  return [{ work: "exec CONTAINER true", unit: "ms", samples }];
}

function start({ program }: Contestant, subject: Subject, name: string): void {
  output([...program, "run", "-d", "--name", name, subject.image, "sleep", "100000"]);
}

async function rm(setting: Setting): Promise<Row[]> {
  const name = counter();
  const samplers = samplersOf(setting, (contestant) => () => {
    const victim = name();
    start(contestant, setting.subject, victim);
    return timed([...contestant.program, "rm", ...contestant.removeOptions, victim]);
  });
  return [{ work: "rm -f of a running container", unit: "ms", samples: await interleave(samplers, setting.rounds) }];
}

async function ps(setting: Setting): Promise<Row[]> {
  const name = counter();
  for (const { program } of setting.contestants) {
    for (let made = 0; made < MANY; made++)
      output([...program, "create", "--name", name(), setting.subject.image, "true"]);
  }
  const samplers = samplersOf(
    setting,
    ({ program }) =>
      () =>
        timed([...program, "ps", "-a"]),
  );
  const samples = await interleave(samplers, setting.rounds);
  setting.contestants.forEach(removeAll);
  return [{ work: `ps -a with ${MANY} containers`, unit: "ms", samples }];
}

async function parallel(setting: Setting): Promise<Row[]> {
  const slow: Record<string, number[]> = {};
  const samplers = samplersOf(setting, ({ name, program }) => async () => {
    const command = [...program, "run", "--rm", setting.subject.image, "true"];
    const ends = await together(Array.from({ length: AT_ONCE }, () => command));
    const list = slow[name] ?? [];
    slow[name] = list;
    list.push(percentile(ends, 0.95));
    return Math.max(...ends);
  });
  const samples = await interleave(samplers, Math.max(1, Math.floor(setting.rounds / 5)));
  return [
    { work: `${AT_ONCE} × run --rm at once: until the last has ended`, unit: "ms", samples },
    { work: `${AT_ONCE} × run --rm at once: 95th percentile`, unit: "ms", samples: withoutFirst(slow) },
  ];
}

/** The round that fills the caches is no sample. */
function withoutFirst(samples: Readonly<Record<string, readonly number[]>>): Record<string, number[]> {
  return Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, list.slice(1)]));
}

async function memory(setting: Setting): Promise<Row[]> {
  const samples: Record<string, number[]> = {};
  for (const contestant of setting.contestants) {
    const before = processes();
    for (let made = 0; made < IDLE; made++) start(contestant, setting.subject, `${KEPT}-${made}`);
    // What starts a container may take a moment to end.
    await Bun.sleep(500);
    samples[contestant.name] = [keptMemory(before) / IDLE];
    removeAll(contestant);
  }
  return [{ work: `private memory for each of ${IDLE} idle containers`, unit: "KiB", samples }];
}

const daemons: Readonly<Record<string, readonly string[]>> = {
  galley: ["galley"],
  docker: ["dockerd", "containerd"],
  podman: ["podman"],
};

async function idle(setting: Setting): Promise<Row[]> {
  const samples = Object.fromEntries(
    setting.contestants.map(({ name }) => {
      const pids = processesNamed(daemons[name] ?? []);
      return [name, [pids.reduce((sum, pid) => sum + privateMemory(pid), 0)]];
    }),
  );
  return [{ work: "private memory with no container", unit: "KiB", samples }];
}
