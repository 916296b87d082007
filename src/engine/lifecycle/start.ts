import { chmodSync, closeSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { encode } from "../../recipe/encode.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import { type StartedShim, startShim } from "../../recipe/run.ts";
import { hostnameOf } from "../bundle/bundle.ts";
import { findRecord } from "../records/find.ts";
import { mountPointOf } from "../records/places.ts";
import type { ContainerRecord, Started } from "../records/record.ts";
import { hasLeftovers, isActive, lifeOf } from "../records/view.ts";
import { adoptAttachment } from "../shim/attachment.ts";
import type { Attachment, StartOptions } from "../types.ts";
import { compileContainer } from "./compile.ts";
import { type Joined, joinedOf } from "./joined.ts";
import { lowerOf } from "./layers.ts";
import { beginOperation, endKept, endOperation } from "./lock.ts";
import { type NetworkPart, networkOf } from "./network.ts";
import { writeNetworkFiles } from "./network-files.ts";
import { change, type Parts, placesIn } from "./parts.ts";
import { reconcile } from "./reconcile.ts";

/** How often a start is tried again after the network was repaired. */
const ATTEMPTS = 3;
/** Milliseconds until it is tried again to write what a full disk did not take. */
const RETRY = 500;
/** docker's exit code of a container that could not be started. */
const FAILED = 128;

/** A start under way: the container's lock is held. */
interface Start {
  readonly record: ContainerRecord;
  readonly joined: Joined;
  readonly options: StartOptions;
  network: NetworkPart;
}

/** Starts a container. Undefined where nobody wants to be attached, or where it runs already. */
export async function startContainer(
  parts: Parts,
  container: string,
  options: StartOptions = {},
): Promise<Attachment | undefined> {
  await reconcile(parts);
  const found = findRecord(parts.table, container);
  const start = await beginStart(parts, found, options).catch((failure) => refuse(parts, found, failure));
  if (start === undefined) return undefined;
  const fd = await run(parts, start).catch(async (failure) => {
    throw await giveUp(parts, start, toGalleyError(failure, { op: "start", subject: start.record.name }));
  });
  endStart(parts, start.record.id);
  return fd === undefined ? undefined : attachment(fd, start);
}

/** The container runs, and may have filled the disk by now: that is no failure of its start. */
function endStart(parts: Parts, id: string): void {
  try {
    endOperation(parts, id);
  } catch (failure) {
    if (toGalleyError(failure).code !== "resource_exhausted") throw failure;
    setTimeout(() => endStart(parts, id), RETRY).unref();
  }
}

/** Lock, lease and what is decided about the network, in one transaction. */
async function beginStart(parts: Parts, found: ContainerRecord, options: StartOptions): Promise<Start | undefined> {
  await cleanUpBefore(parts, found.id);
  const plan = await networkOf(parts, found);
  const attempt = () =>
    beginOperation(parts, found.id, "start", (record) => {
      if (isRunning(parts, record)) return { begin: false, value: undefined };
      const joined = joinedOf(parts, record.made.spec);
      // An older recipe says how to clean up after a run that is over, with addresses that others may have by now.
      rmSync(placesIn(parts, record.id).recipe, { force: true });
      const network = plan.attach();
      parts.table.setStarted(record.id, startedOf(record, network, joined));
      return { begin: true, value: { record, joined, options, network } };
    });
  try {
    return await attempt();
  } catch (failure) {
    // What a container that has ended still holds is only missed when somebody else wants it.
    const { code } = toGalleyError(failure);
    if (code !== "already_exists" && code !== "resource_exhausted") throw failure;
    if (!(await (await import("./sweep.ts")).sweepNetworks(parts))) throw failure;
    return attempt();
  }
}

/** What a killed shim left goes first: the new lease would make it nobody's. */
async function cleanUpBefore(parts: Parts, id: string): Promise<void> {
  const places = placesIn(parts, id);
  if (!hasLeftovers(places, lifeOf(places))) return;
  await beginOperation(parts, id, "start", () => ({ begin: true, value: undefined }));
  try {
    await (await import("./leftovers.ts")).cleanUpContainer(parts, id);
  } finally {
    endOperation(parts, id);
  }
}

/** A container that was created to be started stays all the same, as one that never was. */
function refuse(parts: Parts, { id, name, made, started }: ContainerRecord, failure: unknown): never {
  const error = toGalleyError(failure, { op: "start", subject: name });
  change(parts, () => {
    if (!endKept(parts, id)) return;
    const network = { mode: made.spec.network ?? "bridge", ports: [] };
    const said = { exitCode: FAILED, message: error.describe() };
    parts.table.setStarted(id, { hostname: hostnameOf(id, made.spec), network, ...started, failure: said });
  });
  throw error;
}

function isRunning(parts: Parts, { id, name }: ContainerRecord): boolean {
  const life = lifeOf(placesIn(parts, id));
  if (life.state !== "paused") return isActive(life);
  throw new GalleyError("failed_precondition", "cannot start a paused container, try unpause instead", {
    subject: name,
  });
}

function startedOf({ id, made }: ContainerRecord, { facts }: NetworkPart, { containers }: Joined): Started {
  return { network: facts, hostname: hostnameOf(id, made.spec, containers) };
}

/** Resolves with the descriptor of the first client, where one was asked for. */
async function run(parts: Parts, start: Start): Promise<number | undefined> {
  const { record } = start;
  const lower = await lowerOf(parts, record.imageId, record.made.layers);
  prepareDirectories(parts, record);
  for (let attempt = 1; ; attempt++) {
    const recipe = await compile(parts, start, lower);
    const { report, attachFd } = await execute(parts, start, recipe);
    if (report.failure === undefined) return attachFd;
    closeFd(attachFd);
    const { failedStep } = await import("./start-failure.ts");
    const step = failedStep(recipe, report);
    const failed = step && { step, errno: report.failure.errno };
    if (failed === undefined || attempt === ATTEMPTS || !(await recovered(parts, start, failed))) {
      throw await failureOf(start, failed, report.failure.errno);
    }
  }
}

type Failed = { readonly step: NonNullable<Recipe["sections"]["outside"]>[number]; readonly errno: number };

function prepareDirectories({ paths }: Parts, { id, made }: ContainerRecord): void {
  mkdirSync(paths.live, { recursive: true, mode: 0o700 });
  mkdirSync(mountPointOf(paths), { recursive: true, mode: 0o700 });
  if (made.spec.ipcMode === "shareable") makeSharedMemory(placesIn({ paths }, id).shm);
}

function makeSharedMemory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o1777);
}

async function compile(parts: Parts, { record, joined, network, options }: Start, lower: readonly string[]) {
  const { containers, networkOwner } = joined;
  const files = await writeNetworkFiles(parts, record, network.facts, containers, networkOwner);
  return compileContainer(parts, { record, lower, files, joined: containers, network: network.steps, options });
}

function execute(parts: Parts, { record, options }: Start, recipe: Recipe): Promise<StartedShim> {
  const path = placesIn(parts, record.id).recipe;
  const bytes = encode(recipe);
  writeFileSync(path, bytes, { mode: 0o600 });
  return startShim(parts.native, path, bytes, { attach: options.attach !== undefined });
}

/** Whether the network was repaired, so that another attempt with a new lease is worth it. */
async function recovered(parts: Parts, start: Start, failed: Failed): Promise<boolean> {
  const { request } = start.network;
  if (request === undefined) return false;
  const networks = await parts.networks();
  if (!(await networks.recover(request, failed))) return false;
  const plan = await networkOf(parts, start.record);
  change(parts, () => {
    start.network = plan.attach();
    parts.table.setStarted(start.record.id, startedOf(start.record, start.network, start.joined));
  });
  return true;
}

async function failureOf({ record, network }: Start, failed: Failed | undefined, errno: number): Promise<GalleyError> {
  if (failed !== undefined && network.request !== undefined) {
    const { describeFailure } = await import("../../network/failures.ts");
    const described = describeFailure(failed, `${record.name} (${record.id})`);
    if (described !== undefined) return described;
  }
  const { startFailure } = await import("./start-failure.ts");
  return startFailure(failed?.step, errno, record.name);
}

/** The native program has undone its part; what is left is the lease, and to say what happened. */
async function giveUp(parts: Parts, { record, network, joined }: Start, failure: GalleyError): Promise<GalleyError> {
  const networks = network.request === undefined ? undefined : await parts.networks();
  const { exitStatus = FAILED } = failure;
  const message = failure.describe();
  try {
    endOperation(parts, record.id, () => {
      networks?.release(record.id);
      parts.table.setStarted(record.id, {
        network: { mode: network.facts.mode, ports: [] },
        hostname: hostnameOf(record.id, record.made.spec, joined.containers),
        failure: { exitCode: exitStatus, message },
      });
    });
  } catch (second) {
    failure.cleanup.push(second);
  }
  return failure;
}

function closeFd(fd: number | undefined): void {
  if (fd !== undefined) closeSync(fd);
}

/** The shim takes its first client to be attached to everything that there is. */
function attachment(fd: number, { record, options }: Start): Promise<Attachment> {
  const leaveStdin = record.made.spec.openStdin === true && options.attach?.stdin === false;
  return adoptAttachment(fd, { leaveStdin });
}
