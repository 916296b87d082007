import type { AttachEvent, Attachment } from "../../engine/types.ts";
import { fullSpeed } from "../full-speed.ts";
import { BrokenPipe } from "../write-text.ts";
import { DetachMatcher } from "./detach-keys.ts";
import type { Output } from "./output.ts";

/** How a connection to a container's streams is used. */
export interface SessionOptions {
  /** Bytes to send; absent: nothing is sent and standard input stays as it is. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Where the streams go; what is absent is dropped. */
  readonly stdout?: Output;
  readonly stderr?: Output;
  /** Keys that leave the container running; looked for in the input. Absent: none. */
  readonly detachKeys?: Uint8Array;
}

/** How it ended: with the process, by the detach keys, because nobody reads our output, or the connection was lost. */
export type SessionEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "detached" }
  | { readonly kind: "broken-pipe" }
  | { readonly kind: "lost" };

/** Passes bytes between the standard streams and a container until either side ends. */
export async function runSession(attachment: Attachment, options: SessionOptions): Promise<SessionEnd> {
  fullSpeed();
  let detached = false;
  const detach = () => {
    detached = true;
    attachment.detach();
  };
  if (options.input !== undefined) void pumpInput(attachment, options.input, options.detachKeys, detach);
  try {
    const code = await pumpOutput(attachment.events, options);
    if (code !== undefined) return { kind: "exit", code };
  } catch (failure) {
    if (!(failure instanceof BrokenPipe)) throw failure;
    attachment.detach();
    return { kind: "broken-pipe" };
  }
  return { kind: detached ? "detached" : "lost" };
}

/** Resolves with the exit status, or with nothing where the events end without one. */
async function pumpOutput(events: AsyncIterable<AttachEvent>, options: SessionOptions): Promise<number | undefined> {
  for await (const event of events) {
    if (event.kind === "exit") return event.code;
    await options[event.stream]?.write(event.data);
  }
  return undefined;
}

/** A container that ends takes no more input: its failures are seen on the output's side. */
async function pumpInput(
  attachment: Attachment,
  input: AsyncIterable<Uint8Array>,
  keys: Uint8Array | undefined,
  detach: () => void,
): Promise<void> {
  const matcher = keys === undefined ? undefined : new DetachMatcher(keys);
  try {
    for await (const chunk of input) {
      const { pass, detached } = matcher?.feed(chunk) ?? { pass: chunk, detached: false };
      if (pass.length > 0) await attachment.write(pass);
      if (detached) {
        detach();
        return;
      }
    }
    attachment.closeStdin();
  } catch {
    return;
  }
}
