import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { GalleyError } from "../../../errors.ts";
import { Growth } from "../../content/growth.ts";
import { UNPACKING } from "../../pull/limiter.ts";
import { type IndexedFile, type IndexJob, type IndexReply, receive } from "./job.ts";

/** Milliseconds that a thread without work waits for more. */
const PATIENCE = 200;

const idle = new Set<IndexThread>();
const working = new Set<IndexJob>();

/** Whether there may be one thread more at work: as many as a pull unpacks layers, however few the processors. Nobody waits for one: what it works on may wait for a network that is stuck. */
export function isThreadFree(): boolean {
  return working.size < UNPACKING;
}

/**
 * Indexes a layer in a thread of its own, which takes the next layer when it has done one, and ends when there is none for a while.
 * @returns `undefined` where the blob's file stopped growing
 */
export async function indexInThread(job: IndexJob, onBytes: (bytes: number) => void): Promise<IndexedFile | undefined> {
  const thread = idle.values().next().value ?? new IndexThread();
  idle.delete(thread);
  working.add(job);
  prefer();
  try {
    return await thread.run(job, onBytes);
  } finally {
    working.delete(job);
    prefer();
    thread.rest();
  }
}

/** The largest layer ends last, so it goes before the others where there are fewer processors than layers. */
function prefer(): void {
  const crowded = working.size > availableParallelism();
  const largest = Math.max(...[...working].map((job) => job.size));
  for (const job of working) new Growth(job.growth).stepAside(crowded && job.size < largest);
}

/** What waits for a thread's answer. */
interface Waiting {
  readonly onBytes: (bytes: number) => void;
  readonly resolve: (indexed: IndexedFile | undefined) => void;
  readonly reject: (failure: GalleyError) => void;
}

class IndexThread {
  readonly #worker = new Worker(new URL("./index-thread.ts", import.meta.url));
  #waiting: Waiting | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor() {
    this.#worker.on("message", (reply: IndexReply) => this.#take(reply));
    this.#worker.on("error", (failure) => this.#end(failure));
    this.#worker.on("exit", () => this.#end(undefined));
  }

  /** One job at a time. The process does not end before it is done. */
  async run(job: IndexJob, onBytes: (bytes: number) => void): Promise<IndexedFile | undefined> {
    clearTimeout(this.#patience);
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { onBytes, resolve, reject };
        this.#worker.postMessage(job);
      });
    } finally {
      this.#waiting = undefined;
      this.#worker.unref();
    }
  }

  /** Waits for more work, for a while, unless it cannot do any. */
  rest(): void {
    if (this.#ended) return;
    idle.add(this);
    this.#patience = setTimeout(() => {
      idle.delete(this);
      void this.#worker.terminate();
    }, PATIENCE);
    this.#patience.unref();
  }

  #take(reply: IndexReply): void {
    if ("bytes" in reply) this.#waiting?.onBytes(reply.bytes);
    else if ("failure" in reply) this.#waiting?.reject(receive(reply.failure));
    else this.#waiting?.resolve("done" in reply ? reply.done : undefined);
  }

  #end(cause: unknown): void {
    this.#ended = true;
    idle.delete(this);
    this.#waiting?.reject(
      new GalleyError("internal", "the thread that unpacks a layer ended before it was done", { op: "unpack", cause }),
    );
  }
}
