import { Worker } from "node:worker_threads";
import { GalleyError } from "../../../errors.ts";
import { Growth } from "../../content/growth.ts";
import { Limiter } from "../../pull/limiter.ts";
import { type IndexedFile, type IndexJob, type IndexReply, receive } from "./job.ts";

/** Threads at most, also where there are fewer processors: some of them wait for the network. Each takes some 20 MB. */
const MOST = 3;

/** Milliseconds that a thread without work waits for more. */
const PATIENCE = 200;

const places = new Limiter(MOST);
const idle = new Set<IndexThread>();
const working = new Set<IndexJob>();

/**
 * Indexes a layer in a thread of its own, up to three at a time. A thread takes the next layer when it has done one, and ends when there is none for a
 * while. @returns `undefined` where the blob's file stopped growing
 */
export function indexInThread(job: IndexJob, onBytes: (bytes: number) => void): Promise<IndexedFile | undefined> {
  return places.run(async () => {
    const thread = idle.values().next().value ?? new IndexThread();
    idle.delete(thread);
    try {
      begin(job);
      return await thread.run(job, onBytes);
    } finally {
      end(job);
      thread.rest();
    }
  });
}

function begin(job: IndexJob): void {
  working.add(job);
  prefer();
}

function end(job: IndexJob): void {
  working.delete(job);
  prefer();
}

/** The largest layer ends last, so it goes before the others where there are fewer processors than layers. */
function prefer(): void {
  const largest = Math.max(...[...working].map((job) => job.size));
  for (const job of working) new Growth(job.growth).stepAside(job.size < largest);
}

class IndexThread {
  readonly #worker = new Worker(new URL("./index-thread.ts", import.meta.url));
  #patience: ReturnType<typeof setTimeout> | undefined;

  #broken = false;

  /** One job at a time. */
  async run(job: IndexJob, onBytes: (bytes: number) => void): Promise<IndexedFile | undefined> {
    clearTimeout(this.#patience);
    this.#worker.ref();
    try {
      return await this.#answer(job, onBytes);
    } finally {
      this.#worker.removeAllListeners();
      this.#worker.unref();
    }
  }

  #answer(job: IndexJob, onBytes: (bytes: number) => void): Promise<IndexedFile | undefined> {
    return new Promise((resolve, reject) => {
      this.#worker.on("message", (reply: IndexReply) => {
        if ("bytes" in reply) onBytes(reply.bytes);
        else if ("failure" in reply) reject(receive(reply.failure));
        else resolve("done" in reply ? reply.done : undefined);
      });
      const fail = (cause?: unknown) => {
        this.#broken = true;
        reject(ended(cause));
      };
      this.#worker.on("error", fail);
      this.#worker.on("exit", () => fail());
      this.#worker.postMessage(job);
    });
  }

  /** Waits for more work, for a while, unless it cannot do any. */
  rest(): void {
    if (this.#broken) return;
    idle.add(this);
    this.#patience = setTimeout(() => {
      idle.delete(this);
      void this.#worker.terminate();
    }, PATIENCE);
    this.#patience.unref();
  }
}

function ended(cause: unknown): GalleyError {
  return new GalleyError("internal", "the thread that unpacks a layer ended before it was done", {
    op: "unpack",
    ...(cause === undefined ? {} : { cause }),
  });
}
