/** Changes configurations as values, so that they stay JSON and keep most of their shape. */
import type { Random } from "./random.ts";
import { type Json, near, oddValue } from "./values.ts";

type Container = Json[] | { [key: string]: Json };

/** A place in a value: what holds it, and under which key. */
interface Place {
  readonly holder: Container;
  readonly key: string | number;
}

/** The most nodes that a mutated configuration may have, lest copies of copies grow without end. */
const NODES = 20_000;

/** What mutations take parts from: every value that stands under a name anywhere in the corpus. */
export class Parts {
  readonly #byName = new Map<string, Json[]>();
  readonly #all: Json[] = [];

  constructor(corpus: readonly Json[]) {
    for (const value of corpus) {
      for (const { holder, key } of placesIn(value)) {
        const part = valueAt({ holder, key });
        this.#all.push(part);
        if (typeof key !== "string") continue;
        const known = this.#byName.get(key) ?? [];
        known.push(part);
        this.#byName.set(key, known);
      }
    }
  }

  /** A copy of a part: of the same name where that is known. */
  like(key: string | number, random: Random): Json {
    const same = typeof key === "string" ? (this.#byName.get(key) ?? []) : [];
    const from = same.length > 0 && random.chance(0.7) ? same : this.#all;
    return structuredClone(random.one(from));
  }

  name(random: Random): string {
    return random.one([...this.#byName.keys()]);
  }
}

function isContainer(value: Json): value is Container {
  return typeof value === "object" && value !== null;
}

function valueAt({ holder, key }: Place): Json {
  return (holder as { [key: string]: Json })[key] as Json;
}

function set({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function placesIn(value: Json): Place[] {
  const places: Place[] = [];
  const waiting = [value];
  for (let holder = waiting.pop(); holder !== undefined; holder = waiting.pop()) {
    if (!isContainer(holder)) continue;
    const keys = Array.isArray(holder) ? holder.keys() : Object.keys(holder);
    for (const key of keys) {
      places.push({ holder, key });
      waiting.push(valueAt({ holder, key }));
    }
  }
  return places;
}

/** A changed copy of a configuration: one to six changes, each somewhere. */
export function mutated(from: Json, parts: Parts, random: Random): Json {
  const copy = { root: structuredClone(from) };
  for (let count = 1 + random.below(6); count > 0; count--) {
    const places = placesIn(copy as unknown as Json);
    if (places.length > NODES) break;
    // The whole of it is a place too, and may have become a number.
    random.one(changes)(random.one(places.length > 1 ? places.slice(1) : places), parts, random);
  }
  return copy.root;
}

type Change = (place: Place, parts: Parts, random: Random) => void;

/** One is taken at random: those that stand here twice are taken twice as often. */
const likePart: Change = (place, parts, random) => set(place, parts.like(place.key, random));
const nearBy: Change = (place, _, random) => set(place, near(valueAt(place), random));
const changes: readonly Change[] = [
  (place, _, random) => set(place, oddValue(random)),
  nearBy,
  nearBy,
  likePart,
  likePart,
  remove,
  (place, parts, random) => add(place.holder, valueAt(place), parts, random),
  (place, parts, random) =>
    set(place, random.chance(0.5) ? [valueAt(place)] : { [parts.name(random)]: valueAt(place) }),
  (place, _, random) => repeat(place, random),
];

/** An entry more: of a list a like one, of an object one under a name that it may or may not know. */
function add(holder: Container, value: Json, parts: Parts, random: Random): void {
  if (Array.isArray(holder)) {
    holder.splice(random.below(holder.length + 1), 0, structuredClone(value));
    return;
  }
  const name = random.chance(0.9) ? parts.name(random) : JSON.stringify(oddValue(random));
  set({ holder, key: name }, random.chance(0.8) ? parts.like(name, random) : oddValue(random));
}

/** A list many times over; a text too. */
function repeat(place: Place, random: Random): void {
  const value = valueAt(place);
  const times = random.one([2, 3, 17, 300]);
  if (typeof value === "string") set(place, value.repeat(Math.min(times, Math.ceil(70_000 / (value.length + 1)))));
  else if (!Array.isArray(value) || value.length === 0) set(place, oddValue(random));
  else if (placesIn(value).length * times <= NODES) {
    set(place, Array.from({ length: times }, () => structuredClone(value) as Json[]).flat());
  }
}

/** The text with a few characters changed, dropped or put in: mostly no JSON any more. */
export function scratched(text: string, random: Random): string {
  const odd = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "1e999",
    "-",
    "null",
    "\u0000",
    "[".repeat(5000),
  ];
  const at = random.below(text.length);
  const put = random.chance(0.7) ? random.one(odd) : "";
  return text.slice(0, at) + put + text.slice(at + random.below(4));
}
