/** Runs openssl(1); throws its words where it fails. */
export function openssl(...words: readonly string[]): void {
  const run = Bun.spawnSync(["openssl", ...words], { stdio: ["ignore", "ignore", "pipe"] });
  if (run.exitCode !== 0) throw new Error(`openssl ${words.join(" ")}: ${run.stderr.toString()}`);
}
