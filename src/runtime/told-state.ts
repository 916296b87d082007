/** What others are told of a container (runtime-spec runtime.md, "State"), also while there is no pid yet. */
import { GalleyError } from "../errors.ts";
import type { RuntimeConfig } from "../spec/runtime.ts";
import { utf8 } from "./bytes.ts";
import type { Self } from "./types.ts";

/** A state as JSON takes it. */
export interface ToldState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running" | "stopped";
  readonly pid: number | typeof PID_ROOM;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Stands in a text for the pid of the process that is being made. */
export const PID_ROOM = "\u0000pid";

/** The state of a container whose first process is `pid`, or is being made. */
export function toldState(
  { ociVersion, annotations = {} }: RuntimeConfig,
  { id, bundle }: Self,
  status: ToldState["status"],
  pid: ToldState["pid"] = PID_ROOM,
): ToldState {
  return { ociVersion, id, status, pid, bundle, annotations };
}

/** What the native program takes for "no place". */
const NOWHERE = 0xffff_ffff;
/** As many digits as a pid can have. */
const ROOM = " ".repeat(10);

/** A JSON text with room in the place of each {@link PID_ROOM}, of which there are two at most, and the bytes at which they are. */
export function pidPlaces(text: string): { readonly message: Uint8Array; readonly places: readonly [number, number] } {
  const [first = "", second, third, ...more] = text.split(JSON.stringify(PID_ROOM));
  if (more.length > 0) throw new GalleyError("internal", "a text has more than two pids");
  const at = utf8(first).length;
  const then = at + ROOM.length + utf8(second ?? "").length;
  return {
    message: utf8([first, second, third].filter((part) => part !== undefined).join(ROOM)),
    places: [second === undefined ? NOWHERE : at, third === undefined ? NOWHERE : then],
  };
}
