import type { Container } from "../../engine/types.ts";
import { invalidFilter, untilMoment } from "../../image/views/until.ts";
import type { FilterValues } from "../flags/kinds.ts";

type Test = (container: Container) => boolean;

const filters: Readonly<Record<string, (values: readonly string[], now: number) => Test>> = {
  label: (values) => (container) => values.every((value) => hasLabel(container, value)),
  "label!": (values) => (container) => !values.some((value) => hasLabel(container, value)),
  until: madeBy,
};

/**
 * Which containers docker's `container prune --filter` chooses: fewer keys than `ps` knows, and two of its own. Throws
 * `invalid_argument` for other keys and malformed values.
 * @param now milliseconds since 1970
 */
export function pruneTest(asked: FilterValues, now: number): Test {
  const tests = Object.entries(asked).map(([key, values]) => {
    const filter = Object.hasOwn(filters, key) ? filters[key] : undefined;
    if (filter === undefined) throw invalidFilter(key, `known are ${Object.keys(filters).join(", ")}`);
    return filter(values, now);
  });
  return (container) => tests.every((test) => test(container));
}

function hasLabel({ spec: { labels = {} } }: Container, value: string): boolean {
  const at = value.indexOf("=");
  const key = at < 0 ? value : value.slice(0, at);
  return Object.hasOwn(labels, key) && (at < 0 || labels[key] === value.slice(at + 1));
}

/** At that moment or before. */
function madeBy([value = "", ...more]: readonly string[], now: number): Test {
  if (more.length > 0) throw invalidFilter("until", "give it once");
  const moment = untilMoment(value, now);
  return ({ created }) => Date.parse(created) / 1000 <= moment;
}
