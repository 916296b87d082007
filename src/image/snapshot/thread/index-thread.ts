/** The program of a thread that indexes layers: takes one job after the other, and answers each. See threads.ts. */
import { parentPort } from "node:worker_threads";
import { indexBlob } from "./index-blob.ts";
import { type IndexJob, type IndexReply, send } from "./job.ts";

const answer = (reply: IndexReply) => parentPort?.postMessage(reply);

parentPort?.on("message", (job: IndexJob) => {
  try {
    const done = indexBlob(job, (bytes) => answer({ bytes }));
    answer(done === undefined ? { stopped: true } : { done });
  } catch (failure) {
    answer({ failure: send(failure) });
  }
});
