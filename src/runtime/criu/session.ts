/** A talk with `criu swrk`: one request, notifications that are answered, one answer. */
import { closeSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { writeAll } from "../../linux/sys/data.ts";
import { receiveMessage } from "../../linux/sys/socket.ts";
import { encodeMessage, Message } from "./protobuf.ts";
import { answer, notified, type request, requestType } from "./rpc.ts";

/** As much as runc takes; an answer is a few hundred bytes. */
const LARGEST = 40_960;

/** What CRIU tells while it works, by the name of a script: `post-dump`, `post-restore`. */
export interface Notification {
  readonly script: string;
  /** With `setup-namespaces` and `post-restore`: the first restored process. */
  readonly pid: number;
  /** With `orphan-pts-master`: the terminal's master. They are closed afterwards. */
  readonly fds: readonly number[];
}

/** Does what a notification asks for; where it fails, so does CRIU. */
export type Notified = (notification: Notification) => Promise<void>;

/** Sends a request and answers notifications until its own answer comes. Throws `failed_precondition` where CRIU failed. */
export async function converse(
  socket: number,
  asked: ReturnType<typeof request>,
  onNotify: Notified,
): Promise<Message> {
  writeAll(socket, encodeMessage(asked));
  for (;;) {
    const { bytes, fds, truncated } = receiveMessage(socket, LARGEST);
    if (bytes.length === 0 || truncated) throw failure("CRIU ended without an answer");
    const message = new Message(bytes);
    if (message.number(answer.success) !== 1) throw failed(message);
    if (message.number(answer.type) !== requestType.notify) return message;
    await tell(socket, message.message(answer.notify), fds, onNotify);
  }
}

async function tell(socket: number, notify: Message, fds: readonly number[], onNotify: Notified): Promise<void> {
  try {
    await onNotify({ script: notify.text(1), pid: notify.number(2), fds });
  } catch (cause) {
    writeAll(socket, encodeMessage(notified(false)));
    throw cause;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
  writeAll(socket, encodeMessage(notified(true)));
}

function failed(message: Message): GalleyError {
  const type = Object.entries(requestType).find(([, number]) => number === message.number(answer.type))?.[0] ?? "?";
  return failure(`criu failed: type ${type.toUpperCase()} errno ${message.number(answer.errno)}`);
}

function failure(text: string): GalleyError {
  return new GalleyError("failed_precondition", text);
}
