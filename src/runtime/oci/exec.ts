import { GalleyError } from "../../errors.ts";
import type { ProcessConfig } from "../../spec/runtime.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { compileExec } from "../compile-exec.ts";
import type { ConsoleTarget } from "../types.ts";
import { withEnvironment } from "./environment.ts";
import type { Home } from "./home.ts";
import type { RuntimeLog } from "./log.ts";
import { runManaged, type Started } from "./native-run.ts";
import { statusOf, storedConfig, storedState } from "./state.ts";

/** The flags of `exec`, as the library takes them. */
export interface ExecOptions {
  readonly native: string;
  readonly process: ProcessConfig;
  readonly console?: ConsoleTarget;
  readonly pidFile?: string;
  readonly preserved: number;
  readonly ignorePaused: boolean;
  readonly keepKeyring: boolean;
  readonly pidfdSocket?: string;
  readonly log: RuntimeLog;
}

/** Runs a further process in a container. It runs by the time this resolves, as nobody's child or that of a subreaper above. */
export async function execInContainer(home: Home, options: ExecOptions): Promise<Started> {
  const stored = storedState(home);
  const status = statusOf(home, stored);
  if (status === "stopped")
    throw new GalleyError("failed_precondition", "cannot exec in a stopped container", { subject: home.id });
  if (status === "paused" && !options.ignorePaused) {
    throw new GalleyError(
      "failed_precondition",
      "cannot exec in a paused container (use --ignore-paused to override)",
      { subject: home.id },
    );
  }
  const { process, native, preserved, console, pidFile, pidfdSocket, keepKeyring } = options;
  const config = storedConfig(home);
  const recipe = compileExec({
    process: withEnvironment(process, { rootfs: stored.rootfs, mounts: config.mounts }),
    config,
    init: { pid: stored.pid, startTime: Number(stored.startTime) },
    openStdin: true,
    managed: {
      keepKeyring,
      preserved,
      ...(console === undefined ? {} : { console }),
      ...(pidfdSocket === undefined ? {} : { pidfdSocket }),
    },
  });
  const started = await runManaged(recipe, {
    native,
    preserved,
    gated: false,
    relay: console?.kind === "passed",
    op: "exec",
    log: options.log,
  });
  if (pidFile !== undefined) writeFileAtomic(pidFile, String(started.report.pid), { mode: 0o644 });
  return started;
}
