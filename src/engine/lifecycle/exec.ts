import { closeSync, rmSync, writeFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { errno } from "../../linux/errno.ts";
import { isAlive } from "../../linux/processes.ts";
import { encode } from "../../recipe/encode.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import { ATTACH_FD, startShim } from "../../recipe/run.ts";
import { compileExec } from "../../runtime/compile-exec.ts";
import { hostFacts } from "../../runtime/host.ts";
import { makeExecProcess } from "../bundle/exec.ts";
import { hostnameOf } from "../bundle/hostname.ts";
import { findRecord, notRunning } from "../records/find.ts";
import type { ContainerRecord } from "../records/record.ts";
import type { ShimStatus } from "../records/status.ts";
import { lifeOf } from "../records/view.ts";
import { adoptAttachment } from "../shim/attachment.ts";
import type { Attachment, ExecSpec } from "../types.ts";
import { lowerOf } from "./layers.ts";
import { filterCacheOf, type Parts, placesIn } from "./parts.ts";

const NOT_EXECUTABLE = 126;

/** Runs a further process in a running container, with a shim of its own. Undefined where it is detached. */
export async function execIn(parts: Parts, container: string, spec: ExecSpec): Promise<Attachment | undefined> {
  const record = findRecord(parts.table, container);
  const status = runningStatus(parts, record);
  const base = `${placesIn(parts, record.id).socket}.${randomSuffix()}`;
  const recipe = await compile(parts, record, status, spec, base).catch((failure) => refuse(spec, failure));
  const path = `${base}.recipe`;
  const bytes = encode(recipe);
  writeFileSync(path, bytes, { mode: 0o600 });
  try {
    const { report, attachFd } = await startShim(parts.native, path, bytes, { attach: spec.detach !== true });
    if (report.failure === undefined) return attachFd === undefined ? undefined : await adoptAttachment(attachFd);
    if (attachFd !== undefined) closeSync(attachFd);
    const { failedStep, startFailure } = await import("./start-failure.ts");
    const step = failedStep(recipe, report);
    if (step?.op === "open_pid" && report.failure.errno === errno.ESRCH) throw notRunning(record, "exec");
    throw startFailure(step, report.failure.errno, record.name);
  } finally {
    rmSync(path, { force: true });
  }
}

/** A process that cannot be, such as one of an unknown user, is docker's 126 to whoever would be attached to it. */
function refuse({ detach }: ExecSpec, failure: unknown): never {
  const error = toGalleyError(failure);
  if (detach !== true) error.exitStatus ??= NOT_EXECUTABLE;
  throw error;
}

/** Short, as it is part of a socket's path. */
function randomSuffix(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
}

function runningStatus(parts: Parts, record: ContainerRecord): ShimStatus {
  const { state, status } = lifeOf(placesIn(parts, record.id));
  if (state === "paused") {
    throw new GalleyError(
      "failed_precondition",
      `Container ${record.name} is paused, unpause the container before exec`,
    );
  }
  if (state === "restarting") {
    throw new GalleyError(
      "failed_precondition",
      `Container ${record.id} is restarting, wait until the container is running`,
    );
  }
  if (state !== "running" || status === undefined || !isAlive(status.init)) throw notRunning(record, "exec");
  return status;
}

async function compile(
  parts: Parts,
  record: ContainerRecord,
  { init }: ShimStatus,
  exec: ExecSpec,
  socketPath: string,
): Promise<Recipe> {
  const { id, made, started } = record;
  const { spec, resolved } = made;
  const facts = hostFacts();
  const lower = await lowerOf(parts, record.imageId, made.layers);
  const { directory, upper } = placesIn(parts, id);
  const { process, config } = await makeExecProcess({
    id,
    spec,
    resolved,
    layers: [upper, ...lower],
    cgroups: facts.cgroups.mode,
    hostname: started?.hostname ?? hostnameOf(id, spec),
    exec,
  });
  const shim = {
    stdinOnce: true,
    socketPath,
    statusPath: "",
    timingsPath: "",
    restart: { policy: "no", maxRetries: 0 },
    ...(exec.detach === true ? {} : { attachFd: ATTACH_FD }),
  } as const;
  const first = { pid: init.pid, startTime: Number(init.startTime) };
  const filterCache = filterCacheOf(parts);
  const self = { id, bundle: directory };
  return compileExec({ process, config, self, init: first, openStdin: exec.stdin === true, shim, filterCache }, facts);
}
