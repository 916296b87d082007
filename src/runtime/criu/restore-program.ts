/** CRIU as the native program starts it for a restore: in the container's cgroup and a mount namespace of its own. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seqpacketPair } from "../../linux/sys/socket.ts";
import { encode } from "../../recipe/encode.ts";
import type { Recipe } from "../../recipe/recipe.ts";
import { parseReport } from "../../recipe/report.ts";
import { stepFailure } from "../oci/failure.ts";

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
  const folder = mkdtempSync(join(tmpdir(), "galley-restore-"));
  const path = join(folder, "report");
  const report = openSync(path, "wx+", 0o600);
  const [socket, its] = seqpacketPair();
  try {
    writeFileSync(join(folder, "recipe"), encode(recipe), { mode: 0o600 });
    const kept = [its, ...fds];
    const words = [
      "run",
      "--await-end",
      "--keep",
      String(kept.length),
      join(folder, "recipe"),
      String(3 + kept.length),
    ];
    const child = Bun.spawn([native, ...words], { stdio: ["inherit", "inherit", "inherit", ...kept, report], env: {} });
    while (statSync(path).size === 0 && child.exitCode === null) await Bun.sleep(1);
    const read = parseReport(readFileSync(path), recipe.sections.outside?.length ?? 0);
    if (read.failure !== undefined) throw stepFailure(recipe, read.failure, "restore");
    const end = async () => {
      closeSync(socket);
      await child.exited;
    };
    return { socket, pid: read.pid, end };
  } finally {
    for (const fd of [its, report]) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}
