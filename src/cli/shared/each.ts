import type { Cli } from "../cli.ts";
import { reportOne } from "../report.ts";

/** At most so many are worked on at once. */
const AT_ONCE = 50;

/**
 * Does something to each of several things at the same time. In the order they were named, each is printed once it is done, or
 * what went wrong with it. Resolves with 1 where anything did, else 0.
 * @param act resolves with the line to print; undefined: none
 */
export async function forEach(
  cli: Cli,
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
): Promise<number> {
  let status = 0;
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const running = names.slice(start, start + AT_ONCE).map((name) => settle(act(name)));
    for (const one of running) {
      const { line, failure } = await one;
      if (line !== undefined) cli.out(`${line}\n`);
      if (failure === undefined) continue;
      reportOne(cli, failure.thrown);
      status = 1;
    }
  }
  return status;
}

/** As {@link forEach}, for actions that print the name they were given. */
export function forEachNamed(
  cli: Cli,
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<number> {
  return forEach(cli, names, async (name) => {
    await act(name);
    return name;
  });
}

interface Settled {
  readonly line?: string | undefined;
  readonly failure?: { readonly thrown: unknown };
}

/** Never rejects, so that a failure that is looked at late counts as handled. */
async function settle(work: Promise<string | undefined>): Promise<Settled> {
  try {
    return { line: await work };
  } catch (thrown) {
    return { failure: { thrown } };
  }
}
