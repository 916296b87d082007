import { GalleyError } from "../../errors.ts";
import { parsePortRange, splitProtocol } from "../options/ports.ts";
import type { Container, ContainerFilters } from "../types.ts";

/** What filters need beyond the containers. */
export interface SelectFacts {
  /** The container of that name or ID; throws `not_found` where there is none. */
  find(container: string): Container;
  /** IDs of the images that are, or are made from, what the reference names; empty for an unknown one. */
  descendants(reference: string): ReadonlySet<string>;
}

type Test = (container: Container) => boolean;
/** Makes of a filter's values the test that a container has to pass. */
type Filter = (values: readonly string[], facts: SelectFacts) => Test;

const states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["none", "starting", "healthy", "unhealthy"];

const filters: Readonly<Record<string, Filter>> = {
  name: anyOf((value) => {
    const matches = pattern(value);
    return ({ name }) => matches(name) || matches(`/${name}`);
  }),
  id: anyOf((value) => {
    const matches = pattern(value);
    return ({ id }) => matches(id);
  }),
  label: allOf(labelTest),
  status: anyOf((value) => {
    requireOne("status", value, states, "state");
    return ({ state }) => state === value;
  }),
  exited: anyOf(exitedTest),
  ancestor: (values, facts) => {
    const images = new Set(values.flatMap((value) => [...facts.descendants(value)]));
    return ({ imageId }) => images.has(imageId);
  },
  volume: anyOf(
    (value) =>
      ({ resolved }) =>
        resolved.volumes.some(({ name, source, target }) => [name, source, target].includes(value)),
  ),
  network: anyOf(
    (value) =>
      ({ network }) =>
        network.mode === value,
  ),
  publish: anyOf((value) =>
    portTest("publish", value, ({ network }) => network.ports.map((port) => [port.hostPort, port.protocol])),
  ),
  expose: anyOf((value) => portTest("expose", value, exposedPorts)),
  before: anyOf((value, facts) => {
    const other = facts.find(value);
    return (container) => compareAge(container, other) > 0;
  }),
  since: anyOf((value, facts) => {
    const other = facts.find(value);
    return (container) => compareAge(container, other) < 0;
  }),
  health: anyOf((value) => {
    requireOne("health", value, healths, "health");
    return () => value === "none";
  }),
  "is-task": anyOf((value) => {
    const wanted = truth(value);
    if (wanted === undefined) throw invalidFilter(`is-task=[${value}]`, "write true or false");
    return () => !wanted;
  }),
};

/**
 * The containers that `ps` shows, newest first: running ones alone, unless all, a state or a number of last ones is asked for.
 * Throws `invalid_argument` for unknown filters and values, in docker's words.
 */
export function selectContainers(
  containers: readonly Container[],
  { all, filters: asked = {}, last = 0 }: ContainerFilters,
  facts: SelectFacts,
): readonly Container[] {
  const tests = Object.entries(asked).map(([key, values]) => {
    const filter = Object.hasOwn(filters, key) ? filters[key] : undefined;
    if (filter === undefined) throw invalidFilter(key, `known are ${Object.keys(filters).join(", ")}`);
    return filter(values, facts);
  });
  const isShown: Test = all === true || last > 0 || asked.status !== undefined ? () => true : isRunning;
  const found = containers
    .filter((container) => isShown(container) && tests.every((test) => test(container)))
    .toSorted(compareAge);
  return last > 0 ? found.slice(0, last) : found;
}

/** Newer ones first. Times are ISO 8601 of one length, so that their texts compare as they do. */
function compareAge(a: Container, b: Container): number {
  return a.created === b.created ? 0 : a.created > b.created ? -1 : 1;
}

function isRunning({ state }: Container): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

function anyOf(make: (value: string, facts: SelectFacts) => Test): Filter {
  return (values, facts) => {
    const tests = values.map((value) => make(value, facts));
    return (container) => tests.some((test) => test(container));
  };
}

function allOf(make: (value: string) => Test): Filter {
  return (values) => {
    const tests = values.map(make);
    return (container) => tests.every((test) => test(container));
  };
}

/** A regular expression, or where it is none, the text itself. */
function pattern(text: string): (subject: string) => boolean {
  try {
    const expression = new RegExp(text);
    return (subject) => subject === text || expression.test(subject);
  } catch {
    return (subject) => subject === text;
  }
}

function labelTest(value: string): Test {
  const at = value.indexOf("=");
  const key = at < 0 ? value : value.slice(0, at);
  return ({ spec: { labels = {} } }) => Object.hasOwn(labels, key) && (at < 0 || labels[key] === value.slice(at + 1));
}

function exitedTest(value: string): Test {
  if (!/^[+-]?[0-9]+$/.test(value)) throw invalidFilter(`exited=${value}`, "it takes an exit code");
  const code = Number(value);
  return (container) =>
    !isRunning(container) && container.exitCode === code && !container.startedAt.startsWith("0001-01-01");
}

type Port = readonly [number: number, protocol: string];

function exposedPorts({ network, spec }: Container): readonly Port[] {
  const published = network.ports.map((port) => [port.containerPort, port.protocol] as const);
  const exposed = (spec.exposed ?? []).map((text) => {
    const [port, protocol = "tcp"] = text.split("/");
    return [Number(port), protocol] as const;
  });
  return [...published, ...exposed];
}

/** A container that does not run has no ports. */
function portTest(key: string, value: string, ports: (container: Container) => readonly Port[]): Test {
  const [text, wanted] = splitProtocol(value);
  const range = parsePortRange(text);
  if (range === undefined) throw invalidFilter(`${key}=${value}`, "write PORT[-PORT][/PROTOCOL]");
  const [first, last] = range;
  return (container) =>
    isRunning(container) &&
    ports(container).some(([port, protocol]) => protocol === wanted && port >= first && port <= last);
}

function requireOne(key: string, value: string, known: readonly string[], word: string): void {
  if (known.includes(value)) return;
  const reason = `invalid value for ${word} (${value}): must be one of ${known.join(", ")}`;
  throw new GalleyError("invalid_argument", `invalid filter '${key}=${value}': ${reason}`);
}

function truth(text: string): boolean | undefined {
  if (/^(1|t|true)$/i.test(text)) return true;
  return /^(0|f|false)$/i.test(text) ? false : undefined;
}

function invalidFilter(subject: string, hint: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid filter '${subject}'`, { hint });
}
