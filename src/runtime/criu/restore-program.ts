/** CRIU as the native program starts it for a restore: in the container's cgroup and a mount namespace of its own. */
import { closeSync, fstatSync } from "node:fs";
import { seqpacketPair } from "../../linux/sys/socket.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import { reportedRun } from "../oci/reported-run.ts";

/** A CRIU that waits for its request. */
export interface RestoringCriu {
  /** To talk with it. */
  readonly socket: number;
  readonly pid: number;
  /** Closes the socket, and resolves once it has ended. */
  end(): Promise<void>;
}

/** Starts it, with these descriptors from 4 on besides its socket, which is 3. What a step refuses is thrown. */
export async function startRestoring(native: string, recipe: Recipe, fds: readonly number[]): Promise<RestoringCriu> {
  const [socket, its] = seqpacketPair();
  const kept = [its, ...fds];
  try {
    const { report, result: child } = await reportedRun(recipe, "restore", async (path, fd) => {
      const words = ["run", "--await-end", "--keep", String(kept.length), path, String(3 + kept.length)];
      const started = Bun.spawn([native, ...words], { stdio: ["inherit", "inherit", "inherit", ...kept, fd], env: {} });
      while (fstatSync(fd).size === 0 && started.exitCode === null) await Bun.sleep(1);
      return started;
    });
    const end = async () => {
      closeSync(socket);
      await child.exited;
    };
    return { socket, pid: report.pid, end };
  } catch (failure) {
    // CRIU, if it has been started, ends without us.
    closeSync(socket);
    throw failure;
  } finally {
    closeSync(its);
  }
}
