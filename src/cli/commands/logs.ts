import type { LogLine, LogOptions } from "../../engine/types.ts";
import { parseTimestamp } from "../../spec/timestamp.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { GatheredOutput } from "../terminal/gathered-output.ts";
import { standardOutput } from "../terminal/output.ts";
import { UsageError } from "../usage-error.ts";

const moment = `timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)`;

const flags = {
  details: bool({ usage: "Show extra details provided to logs" }),
  follow: bool({ short: "f", usage: "Follow log output" }),
  since: string({ usage: `Show logs since ${moment}` }),
  tail: string({ short: "n", usage: "Number of lines to show from the end of the logs", initial: "all" }),
  timestamps: bool({ short: "t", usage: "Show timestamps" }),
  until: string({ usage: `Show logs before a ${moment}` }),
};

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Fetch the logs of a container",
  flags,
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [name = ""] }) {
    fullSpeed();
    const options = logOptions(flags, Date.now());
    const { containers } = await cli.engine();
    const { id, spec } = await containers.get(name);
    await copyLines(containers.logs(id, options), flags.timestamps, spec.tty === true);
    return 0;
  },
});

/** Where the process had a terminal, there is one stream. */
async function copyLines(lines: AsyncIterable<LogLine>, timestamps: boolean, oneStream: boolean): Promise<void> {
  const stdout = standardOutput(1);
  const stderr = oneStream ? stdout : standardOutput(2);
  const gathered = new GatheredOutput();
  for await (const { stream, time, data } of lines) {
    const bytes = timestamps ? Buffer.concat([Buffer.from(`${fixedWidth(time)} `), data]) : data;
    await gathered.write(stream === "stdout" ? stdout : stderr, bytes);
  }
  await gathered.end();
}

/** All nine digits of the second, as docker prints them, so that lines stand below one another. */
function fixedWidth(time: string): string {
  const [, second = "", fraction = ""] = /^(.*:\d\d)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return second === "" ? time : `${second}.${fraction.padEnd(9, "0")}Z`;
}

function logOptions(
  flags: { readonly follow: boolean; readonly since: string; readonly until: string; readonly tail: string },
  now: number,
): LogOptions {
  const tail = tailLines(flags.tail);
  return {
    follow: flags.follow,
    ...(flags.since === "" ? {} : { since: time("since", flags.since, now) }),
    ...(flags.until === "" ? {} : { until: time("until", flags.until, now) }),
    ...(tail === undefined ? {} : { tail }),
  };
}

function time(name: string, text: string, now: number): number {
  try {
    return parseTimestamp(text, now);
  } catch (failure) {
    throw new UsageError(
      `invalid value for "${name}": ${failure instanceof Error ? failure.message : failure}`,
      1,
      true,
    );
  }
}

/** docker takes what is no number, and negative ones, for all lines. */
function tailLines(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}
