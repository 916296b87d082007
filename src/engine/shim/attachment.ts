import { GalleyError } from "../../errors.ts";
import type { AttachEvent, Attachment } from "../types.ts";
import { ShimConnection } from "./connection.ts";
import { attachFlag, request, type ShimExit, words } from "./frames.ts";

/** Bytes that wait to be read before the shim, and so the container, is made to wait. */
const HIGH_WATER = 256 * 1024;
const ESRCH = 3;

/** The events of one connection, as whoever reads them sees them. */
class EventQueue implements AsyncIterable<AttachEvent> {
  #events: AttachEvent[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void) | undefined;
  connection: ShimConnection | undefined;

  output(stream: 1 | 2, data: Uint8Array): void {
    this.#size += data.length;
    if (this.#size > HIGH_WATER) this.connection?.pause();
    this.#events.push({ kind: "output", stream: stream === 1 ? "stdout" : "stderr", data });
    this.#notify();
  }

  /** After `exit` there is nothing more. */
  end(exit?: ShimExit): void {
    if (this.#ended) return;
    this.#ended = true;
    if (exit !== undefined) this.#events.push({ kind: "exit", code: exit.code, oomKilled: exit.oomKilled });
    this.#notify();
    if (exit !== undefined) this.connection?.close();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AttachEvent, void, undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
        this.#taken(event);
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #taken(event: AttachEvent): void {
    if (event.kind !== "output") return;
    const before = this.#size;
    this.#size -= event.data.length;
    if (before > HIGH_WATER && this.#size <= HIGH_WATER) this.connection?.resume();
  }
}

/**
 * Attaches as the client that a shim has had from the container's first instruction.
 * @param leaveStdin the container's standard input is somebody else's: our leaving must not end it
 */
export async function adoptAttachment(
  fd: number,
  { leaveStdin = false }: { readonly leaveStdin?: boolean } = {},
): Promise<Attachment> {
  const queue = new EventQueue();
  const connection = await ShimConnection.adopt(fd, queue.output.bind(queue), (exit) => queue.end(exit));
  if (leaveStdin) void connection.request(request.attach, words(attachFlag.output));
  return attachmentOn(queue, connection);
}

/** Attaches to a shim that runs; undefined where there is none. */
export async function openAttachment(
  path: string,
  options: { readonly stdin: boolean; readonly output: boolean },
): Promise<Attachment | undefined> {
  const queue = new EventQueue();
  const connection = await ShimConnection.connect(path, queue.output.bind(queue), (exit) => queue.end(exit));
  if (connection === undefined) return undefined;
  const flags = (options.stdin ? attachFlag.stdin : 0) | (options.output ? attachFlag.output : 0);
  const attached = await connection.request(request.attach, words(flags));
  if (attached === ESRCH) return undefined;
  connection.askExit();
  return attachmentOn(queue, connection);
}

function attachmentOn(queue: EventQueue, connection: ShimConnection): Attachment {
  queue.connection = connection;
  return {
    events: queue,
    write: (data) => connection.write(data),
    closeStdin: () => connection.closeStdin(),
    resize: async (rows, columns) => refuse("resize", await connection.resize(rows, columns)),
    signal: async (signal) => refuse("signal", await connection.kill(signal, true)),
    detach() {
      queue.end();
      connection.close();
    },
  };
}

/** What has ended need not be told. */
async function refuse(op: string, errno: number): Promise<void> {
  if (errno === 0 || errno === ESRCH) return;
  const { describeErrno } = await import("../../linux/errno.ts");
  throw new GalleyError("failed_precondition", describeErrno(errno), { op });
}
