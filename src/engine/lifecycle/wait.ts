import { existsSync } from "node:fs";
import { isAlive } from "../../linux/processes.ts";
import { findRecord, noSuchContainer } from "../records/find.ts";
import { placesOf } from "../records/places.ts";
import { isActive, lifeOf } from "../records/view.ts";
import { ShimConnection } from "../shim/connection.ts";
import { type Parts, placesIn } from "./parts.ts";
import { reap, reconcile } from "./reconcile.ts";

/** Milliseconds between two looks at what nobody tells of. */
const LOOK = 20;

export type WaitCondition = "not-running" | "next-exit" | "removed";

/** Resolves with the exit code once the condition holds. */
export async function waitFor(parts: Parts, container: string, condition: WaitCondition): Promise<number> {
  const { id, made } = findRecord(parts.table, container);
  if (condition === "next-exit") await untilActive(parts, id);
  const code = await exitOf(parts, id);
  if (made.spec.autoRemove === true) await reap(parts, id);
  if (code === undefined) throw noSuchContainer(container);
  if (condition !== "removed") return code;
  while (parts.table.byId(id) !== undefined) {
    await Bun.sleep(LOOK);
    await reconcile(parts);
  }
  return code;
}

async function untilActive(parts: Parts, id: string): Promise<void> {
  const places = placesIn(parts, id);
  const before = lifeOf(places);
  while (!isActive(lifeOf(places)) && lifeOf(places).status?.started === before.status?.started) {
    findRecord(parts.table, id);
    await Bun.sleep(LOOK);
  }
}

/** Undefined for a container that has gone with its end before anybody asked. */
async function exitOf(parts: Parts, id: string): Promise<number | undefined> {
  const shim = await ShimConnection.connect(placesIn(parts, id).socket);
  if (shim !== undefined) {
    shim.askExit();
    const exit = await shim.exit;
    shim.close();
    if (exit !== undefined) return exit.code;
  }
  const life = lifeOf(placesIn(parts, id));
  const { status } = life;
  if (status !== undefined && isActive(life)) {
    while (isAlive(life.attended ? status.shim : status.init)) await Bun.sleep(LOOK);
  }
  return recordedExit(parts, id);
}

/** Of a container that has not been started, or whose shim has gone without a word, what the store says. */
function recordedExit({ table, paths }: Parts, id: string): number | undefined {
  const places = placesOf(paths, id);
  const record = table.byId(id);
  if (record === undefined || !existsSync(places.directory)) return undefined;
  return record.started?.failure?.exitCode ?? lifeOf(places).exitCode;
}
