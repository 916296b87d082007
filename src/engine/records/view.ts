import { existsSync } from "node:fs";
import { bootId, isAlive } from "../../linux/processes.ts";
import type { Container, ContainerState, NetworkFacts } from "../types.ts";
import type { Operation } from "./operations.ts";
import type { ContainerPlaces } from "./places.ts";
import type { ContainerRecord } from "./record.ts";
import { readStatus, type ShimStatus } from "./status.ts";

/** docker's time for what has never been. */
const NEVER = "0001-01-01T00:00:00Z";
/** Of a container whose end nobody saw: as if by SIGKILL, or, where the whole machine went, docker's number for that. */
const KILLED = 137;
const LOST = 255;

/** What is the case with a container's processes, whatever the last status says. */
export interface Life {
  readonly state: Exclude<ContainerState, "created" | "removing" | "dead"> | "created";
  readonly status: ShimStatus | undefined;
  /** The shim lives. */
  readonly attended: boolean;
  readonly exitCode: number;
}

/** Joins the status file with a look at the processes it names. */
export function lifeOf(places: ContainerPlaces): Life {
  const status = readStatus(places.status);
  if (status === undefined) return { state: "created", status, attended: false, exitCode: 0 };
  const { state, exitCode } = status;
  if (state === "exited") return { state, status, attended: false, exitCode };
  if (status.boot !== bootId()) return { state: "exited", status, attended: false, exitCode: LOST };
  if (isAlive(status.shim)) return { state, status, attended: true, exitCode };
  // A run that was ending while the shim was killed may have noted its end already.
  const again = readStatus(places.status);
  if (again !== undefined && again.state === "exited")
    return { state: "exited", status: again, attended: false, exitCode: again.exitCode };
  if (state !== "restarting" && isAlive(status.init)) return { state, status, attended: false, exitCode };
  return { state: "exited", status, attended: false, exitCode: state === "restarting" ? exitCode : KILLED };
}

/** Whether the container's process is there or about to be again. */
export function isActive({ state }: Pick<Life, "state">): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

/** Whether a shim was killed before it had cleaned up. After a reboot there is nothing to clean. */
export function hasLeftovers(places: ContainerPlaces, { state, status }: Life): boolean {
  if (status === undefined || state !== "exited" || status.boot !== bootId()) return false;
  return status.state !== "exited" || existsSync(places.socket);
}

/** The container as everybody sees it. */
export function containerOf(
  record: ContainerRecord,
  places: ContainerPlaces,
  operation: Operation | undefined,
  life = lifeOf(places),
): Container {
  const { id, name, imageId, created, started, made } = record;
  const { status } = life;
  const { failure } = started ?? {};
  const running = life.state === "running" || life.state === "paused";
  return {
    id,
    name,
    spec: made.spec,
    imageId,
    resolved: made.resolved,
    created,
    state: operation?.kind === "remove" && !running ? "removing" : life.state,
    pid: running ? (status?.init.pid ?? 0) : 0,
    exitCode: isActive(life) ? 0 : (failure?.exitCode ?? life.exitCode),
    oomKilled: status?.oomKilled ?? false,
    error: isActive(life) ? "" : (failure?.message ?? restartFailure(status)),
    startedAt: status === undefined ? NEVER : isoTime(status.started),
    finishedAt: running || status?.finished === undefined ? NEVER : isoTime(status.finished),
    restartCount: status?.restarts ?? 0,
    unattended: running && !life.attended,
    network: networkOf(record),
    logPath: made.spec.logDriver === "none" ? "" : places.log,
  };
}

function networkOf({ made, started }: ContainerRecord): NetworkFacts {
  return started?.network ?? { mode: made.spec.network ?? "bridge", ports: [] };
}

function restartFailure(status: ShimStatus | undefined): string {
  if (status?.failed === undefined) return "";
  const [section, step, errno] = status.failed.split(" ");
  return `the restart failed at step ${step} of section ${section} with error ${errno}`;
}

/** ISO 8601 with nanoseconds from Unix nanoseconds in decimal. */
export function isoTime(nanoseconds: string): string {
  const digits = nanoseconds.padStart(10, "0");
  const date = new Date(Number(digits.slice(0, -9)) * 1000).toISOString();
  return `${date.slice(0, 19)}.${digits.slice(-9)}Z`;
}
