import { GalleyError, toGalleyError } from "../../errors.ts";
import type { Cli, CliEngine } from "../cli.ts";
import type { SessionEnd } from "../terminal/session.ts";

/** A session with a container's main process that is over. */
export interface Ended {
  /** ID or name. */
  readonly container: string;
  readonly end: SessionEnd;
  /** The container goes with its process: wait until it has gone. */
  readonly removed: boolean;
}

/** The exit status of a command that stayed with a container: the container's own, or 0 where it was left running. */
export async function endStatus(cli: Cli, engine: CliEngine, { container, end, removed }: Ended): Promise<number> {
  switch (end.kind) {
    case "exit":
      if (removed) await waitForRemoval(engine, container);
      return end.code;
    case "detached":
      return 0;
    case "broken-pipe":
      cli.err(`galley: standard output was closed by its reader; container ${container} goes on\n`);
      return 1;
    case "lost":
      return lostStatus(engine, container);
  }
}

/** It may have gone already. */
async function waitForRemoval({ containers }: CliEngine, container: string): Promise<void> {
  try {
    await containers.wait(container, "removed");
  } catch (failure) {
    if (toGalleyError(failure).code !== "not_found") throw failure;
  }
}

/** The connection ended without a word: the record knows how the container fares. */
async function lostStatus({ containers }: CliEngine, container: string): Promise<number> {
  const { state, exitCode } = await containers.get(container);
  if (state === "exited") return exitCode;
  throw new GalleyError("unavailable", "the connection to the container was lost", {
    subject: container,
    hint: `see galley ps -a and galley logs ${container}`,
  });
}
