import type { Container } from "../../engine/types.ts";
import { isZeroTime } from "../format/time.ts";
import { ago, humanDuration } from "../format/units.ts";

type Facts = Pick<Container, "state" | "exitCode" | "startedAt" | "finishedAt" | "unattended">;

/** docker's words for how a container is: `Up 3 minutes (Paused)`, `Exited (1) 2 days ago`. `now` in milliseconds since 1970. */
export function describeStatus(container: Facts, now: number): string {
  switch (container.state) {
    case "created":
      return "Created";
    case "running":
      return `Up ${since(container.startedAt, now)}${container.unattended ? " (Unattended)" : ""}`;
    case "paused":
      return `Up ${since(container.startedAt, now)} (Paused)`;
    case "restarting":
      return `Restarting (${container.exitCode}) ${ago(container.finishedAt, now)}`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "exited":
      return exited(container, now);
  }
}

function since(time: string, now: number): string {
  return humanDuration((now - Date.parse(time)) / 1000);
}

/** When it ended is not known where nobody was there to note it. */
function exited({ exitCode, finishedAt }: Facts, now: number): string {
  return isZeroTime(finishedAt) ? `Exited (${exitCode})` : `Exited (${exitCode}) ${ago(finishedAt, now)}`;
}
