/** Filters that ask an agent: SCMP_ACT_NOTIFY (runtime-spec config-linux.md, "Seccomp"; seccomp_unotify(2)). */
import { GalleyError } from "../errors.ts";
import { type Step, step } from "../recipe/recipe.ts";
import type { SeccompConfig } from "../spec/runtime.ts";
import type { SeccompSteps } from "./seccomp.ts";
import { point, slot } from "./slots.ts";
import { PID_ROOM, pidPlaces, type ToldState } from "./told-state.ts";

/** What the specification calls the one descriptor that is sent. */
const SECCOMP_FD = "seccompFd";

/**
 * The steps of a filter with a listener. Throws `invalid_argument` without `listenerPath`, and `unimplemented` where nothing is known of
 * the container that an agent could be told.
 */
export function listening(
  config: SeccompConfig,
  flags: number,
  program: Uint8Array,
  told: ToldState | undefined,
): SeccompSteps {
  const subject = "linux.seccomp.listenerPath";
  const { listenerPath = "", listenerMetadata = "" } = config;
  if (listenerPath === "") {
    throw new GalleyError("invalid_argument", "seccomp listenerPath is not set", {
      subject,
      hint: "SCMP_ACT_NOTIFY needs the path of an agent's socket",
    });
  }
  if (told === undefined) throw new GalleyError("unimplemented", "SCMP_ACT_NOTIFY is not supported here", { subject });
  const cause = { cause: subject };
  return {
    filter: [
      step("signal", [point.filter], cause),
      step("seccomp_listen", [flags, program], { cause: "linux.seccomp" }),
    ],
    listener: [
      step("wait", [point.filter], cause),
      step("take_listener", [], { out: slot.listener, ...cause }),
      sendState(listenerPath, processState(listenerMetadata, told), subject),
      step("close", [slot.listener], cause),
    ],
  };
}

function sendState(path: string, text: string, cause: string): Step {
  const { message, places } = pidPlaces(text);
  return step("send_state", [path, slot.listener, message, places[0], places[1]], { cause });
}

/** "The Container Process State". The process's pid is not known yet. */
function processState(metadata: string, state: ToldState): string {
  return JSON.stringify({
    ociVersion: state.ociVersion,
    fds: [SECCOMP_FD],
    pid: PID_ROOM,
    ...(metadata === "" ? {} : { metadata }),
    state,
  });
}
