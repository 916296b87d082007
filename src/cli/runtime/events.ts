import { followEvents, statsEvent } from "../../runtime/oci/events.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { bool, duration } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import { defineRuntimeCommand } from "./command.ts";

const NANOSECONDS = 1e6;

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Display events of a container: what it uses, and OOM kills",
  flags: {
    interval: duration({ usage: "Set the stats collection interval", initial: 5e9, shownDefault: "5s" }),
    stats: bool({ usage: "Display the container's stats then exit" }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, root, flags: { interval = 0, stats }, args: [id = ""] }) {
    if (interval <= 0) throw new UsageError("duration interval must be greater than 0", 1, true);
    const home = homeOf(root, id);
    const tell = (event: unknown): void => cli.out(`${JSON.stringify(event, exactNumbers)}\n`);
    if (stats) tell(statsEvent(home));
    else followEvents(home, interval / NANOSECONDS, tell);
    return 0;
  },
});

/** Counters of 64 bits are written with all their digits, which a number of JavaScript does not have. */
function exactNumbers(_key: string, value: unknown): unknown {
  // The types lack it, which the engine has (TC39, "JSON.parse source text access").
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return typeof value === "bigint" ? rawJSON(String(value)) : value;
}
