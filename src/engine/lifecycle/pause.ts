import { GalleyError } from "../../errors.ts";
import { describeErrno, errno, errnoNumber } from "../../linux/errno.ts";
import { findRecord, notRunning } from "../records/find.ts";
import { lifeOf } from "../records/view.ts";
import { ShimConnection } from "../shim/connection.ts";
import { request } from "../shim/frames.ts";
import { type Parts, placesIn } from "./parts.ts";

/** Freezes all processes of a container. */
export function pauseContainer(parts: Parts, container: string): Promise<void> {
  return ask(parts, container, "pause");
}

/** Lets a frozen container go on. */
export function unpauseContainer(parts: Parts, container: string): Promise<void> {
  return ask(parts, container, "resume");
}

async function ask(parts: Parts, container: string, what: "pause" | "resume"): Promise<void> {
  const record = findRecord(parts.table, container);
  const places = placesIn(parts, record.id);
  const shim = await ShimConnection.connect(places.socket);
  if (shim === undefined) throw lifeOf(places).state === "running" ? unattended(record.name) : notRunning(record, what);
  try {
    const error = await shim.request(request[what]);
    if (error === 0) return;
    if (error === errno.ESRCH) throw notRunning(record, what);
    if (error === errnoNumber("EALREADY")) {
      const state = what === "pause" ? "is already paused" : "is not paused";
      throw new GalleyError("failed_precondition", `Container ${record.id} ${state}`);
    }
    throw new GalleyError("failed_precondition", describeErrno(error), {
      op: what,
      subject: record.name,
      hint: error === errno.EOPNOTSUPP ? "this host has no freezer in its cgroups" : "see galley top",
    });
  } finally {
    shim.close();
  }
}

function unattended(name: string): GalleyError {
  return new GalleyError("unavailable", "the container's shim was killed", {
    subject: name,
    hint: `galley restart ${name}`,
  });
}
