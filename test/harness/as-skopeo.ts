import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { galleyProgram, type Result, type Store } from "./galley.ts";

/** Galley under the name skopeo, with a store. */
export async function asSkopeo(store: Store, args: readonly string[]): Promise<Result> {
  const link = join(store.base, "skopeo");
  if (!existsSync(link)) symlinkSync(galleyProgram(), link);
  const child = Bun.spawn([link, ...args], {
    env: { PATH: process.env.PATH, HOME: store.home, GALLEY_ROOT: store.root, GALLEY_RUNROOT: store.runroot },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { status: await child.exited, stdout, stderr };
}
