/**
 * Which functions the everyday commands use, in their order: the bundler lays their bytecode out together, so that a start reads fewer
 * pages. The commands run in a store and, where they need a network, in a network namespace of their own.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The most common way of starting comes first. `$` is the store's only container. */
const commands: readonly (readonly string[])[] = [
  ["run", "--rm", "busybox", "true"],
  ["run", "-d", "--name", "$", "busybox", "sleep", "100"],
  ["exec", "$", "true"],
  ["ps", "-a"],
  ["rm", "-f", "$"],
];

/** Runs the commands with the program at `path` and gives the profiles to `use`, fewer where this machine does not let containers run. */
export async function withProfiles(path: string, use: (profiles: readonly string[]) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "galley-profile-"));
  try {
    const profiles = commands.map((command, index) => profile(path, folder, command, index));
    await use(profiles.filter((file) => existsSync(file)));
  } finally {
    // A layer is mounted for as long as it is kept.
    Bun.spawnSync([path, ...storeOf(folder), "rmi", "--force", "busybox"], { stdio: ["ignore", "ignore", "ignore"] });
    rmSync(folder, { recursive: true, force: true });
  }
}

function profile(path: string, folder: string, command: readonly string[], index: number): string {
  const file = join(folder, `order-${index}`);
  Bun.spawnSync(["unshare", "--net", path, ...storeOf(folder), ...command], {
    env: { ...process.env, BUN_BYTECODE_ORDER_OUT: file },
    stdio: ["ignore", "ignore", "ignore"],
  });
  return file;
}

function storeOf(folder: string): string[] {
  return ["--root", join(folder, "root"), "--runroot", join(folder, "run")];
}
