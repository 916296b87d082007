import { GalleyError, toGalleyError } from "../../errors.ts";
import { type CgroupLayout, detectCgroups } from "../../linux/cgroups/detect.ts";
import type { CgroupJoin } from "../../linux/cgroups/types.ts";
import { linuxVocabulary } from "../../linux/vocabulary.ts";
import type { ProcessConfig, RuntimeConfig } from "../../spec/runtime.ts";
import { validateProcess } from "../../spec/validate/validate.ts";
import { writeFileAtomic } from "../../state/atomic-file.ts";
import { compileExec } from "../compile-exec.ts";
import { hostFacts } from "../host.ts";
import { NO_CGROUP } from "../no-cgroup.ts";
import type { ConsoleTarget, ExecInput } from "../types.ts";
import { consoleOf } from "./console.ts";
import { withEnvironment } from "./environment.ts";
import type { Home } from "./home.ts";
import type { RuntimeLog } from "./log.ts";
import { runManaged, type Started } from "./native-run.ts";
import type { Place } from "./placed-run.ts";
import { isNestedRoot, makerOf } from "./rootless.ts";
import { type StoredState, type StoredUnit, statusOf, storedConfig, storedState } from "./state.ts";

/** The flags of `exec`, as the library takes them. */
export interface ExecOptions {
  readonly native: string;
  readonly process: ProcessConfig;
  readonly console?: ConsoleTarget | undefined;
  readonly pidFile?: string;
  readonly preserved: number;
  readonly ignorePaused: boolean;
  readonly keepKeyring: boolean;
  readonly pidfdSocket?: string;
  /** Cgroups below the container's own, as {@link parseBelowPaths} reads them. */
  readonly cgroups: readonly string[];
  readonly log: RuntimeLog;
}

/** Runs a further process in a container. It runs by the time this resolves, as nobody's child or that of a subreaper above. */
export async function execInContainer(home: Home, options: ExecOptions): Promise<Started> {
  const stored = storedState(home);
  const config = storedConfig(home);
  const cgroups = detectCgroups();
  const status = statusOf(home, stored, { config, cgroups });
  if (status === "stopped")
    throw new GalleyError("failed_precondition", "cannot exec in a stopped container", { subject: home.id });
  if (status === "paused" && !options.ignorePaused) {
    throw new GalleyError(
      "failed_precondition",
      "cannot exec in a paused container (use --ignore-paused to override)",
      { subject: home.id },
    );
  }
  const { native, preserved, pidFile, pidfdSocket, keepKeyring } = options;
  const console = consoleOf(options.process.terminal === true, options.console);
  const warnings = validateProcess({ ...config, process: options.process }, { vocabulary: linuxVocabulary() });
  for (const { field, message } of warnings) options.log.warn(`${field}: ${message}`);
  const place = stored.unit?.isUser === true ? await placeIn(stored.unit, options.cgroups) : undefined;
  const cgroup = place === undefined ? cgroupOf(config, stored, options.cgroups, cgroups) : NOTHING_TO_JOIN;
  const input: ExecInput = {
    process: withEnvironment(options.process, { rootfs: stored.rootfs, mounts: config.mounts }),
    config,
    ...(cgroup === undefined ? {} : { cgroup }),
    self: { id: home.id, bundle: stored.bundle },
    resctrl: stored.resctrl,
    init: { pid: stored.pid, startTime: Number(stored.startTime) },
    openStdin: true,
    managed: {
      keepKeyring,
      preserved,
      ...makerOf(),
      isNested: isNestedRoot(),
      ...(console === undefined ? {} : { console }),
      ...(pidfdSocket === undefined ? {} : { pidfdSocket }),
    },
  };
  const recipe = compileExec(input, hostFacts(cgroups));
  const started = await runManaged(recipe, {
    native,
    preserved,
    gated: false,
    relay: console?.kind === "passed",
    op: "exec",
    log: options.log,
    place,
  });
  if (pidFile !== undefined) writePid(pidFile, started.report.pid);
  return started;
}

const NOTHING_TO_JOIN: CgroupJoin = { attach: [] };

/** A cgroup below the container's own is joined from within it alone. */
async function placeIn(unit: StoredUnit, given: readonly string[]): Promise<Place | undefined> {
  if (given.length > 0) return undefined;
  const { placeInUnit } = await import("./systemd/unit-start.ts");
  return placeInUnit(unit);
}

/** Undefined: the container's own. */
function cgroupOf(
  { linux }: RuntimeConfig,
  { pid }: StoredState,
  given: readonly string[],
  layout: CgroupLayout,
): CgroupJoin | undefined {
  const path = linux?.cgroupsPath ?? NO_CGROUP;
  if (given.length === 0 && layout.mode !== "v2") return undefined;
  const { parseBelowPaths, planJoinBelow, planJoinFirst } =
    require("../../linux/cgroups/join-below.ts") as typeof import("../../linux/cgroups/join-below.ts");
  if (given.length > 0) return planJoinBelow(layout, path, parseBelowPaths(given));
  return path === NO_CGROUP ? undefined : planJoinFirst(layout, path, pid);
}

/** A process whose pid nobody learns must not run on. */
function writePid(path: string, pid: number): void {
  try {
    writeFileAtomic(path, String(pid), { mode: 0o644 });
  } catch (failure) {
    process.kill(pid, "SIGKILL");
    throw toGalleyError(failure, { op: "exec", subject: `--pid-file ${path}` });
  }
}
