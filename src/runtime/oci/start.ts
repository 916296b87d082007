import { rmSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { describeErrno, errnoText } from "../../linux/errno.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import { type GateFailure, openGate } from "./gate.ts";
import type { Home } from "./home.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** Lets a created container execute its command (runtime-spec runtime.md, "Start"). */
export async function startContainer(home: Home, native: string): Promise<void> {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  if (status === "stopped") {
    throw new GalleyError("failed_precondition", "cannot start a container that has stopped", { subject: home.id });
  }
  if (status !== "created") {
    throw new GalleyError("failed_precondition", "cannot start an already running container", { subject: home.id });
  }
  const config = storedConfig(home);
  const failed = await openGate(home, stored.pid);
  rmSync(home.gate, { force: true });
  if (failed !== undefined) throw gateFailure(failed, config);
  if ((config.hooks?.poststart ?? []).length > 0) await poststart(home, native, config);
}

/** One that fails ends its container, as in runc. */
async function poststart(home: Home, native: string, config: RuntimeConfig): Promise<void> {
  const { runHooks } = await import("./hooks.ts");
  try {
    await runHooks("poststart", { config, state: storedState(home), status: "running" });
  } catch (failure) {
    const { deleteContainer } = await import("./end.ts");
    await deleteContainer(home, native, true).catch(() => {});
    throw failure;
  }
}

function gateFailure(failed: GateFailure, config: RuntimeConfig): GalleyError {
  const { placeOfHook, hookSentence, endOfStep, hookError } =
    require("./hook-failure.ts") as typeof import("./hook-failure.ts");
  const { cause, errno: error, note } = failed;
  const place = placeOfHook(cause);
  const hook = config.hooks?.startContainer?.[place?.index ?? 0];
  if (place !== undefined && hook !== undefined) {
    return hookError(place, hookSentence(place, hook, endOfStep(error, note), note));
  }
  // A command that could not be executed is told in one line of runc's, without more.
  const command = config.process?.args[0] ?? "";
  const message =
    cause === "process.args"
      ? `exec ${command}: ${errnoText(error).toLowerCase()}`
      : `unable to start container process: ${cause}: ${describeErrno(error)}`;
  return new GalleyError("failed_precondition", message);
}
