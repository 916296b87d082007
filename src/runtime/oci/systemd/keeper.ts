/** The process that a scope has until the container's own is in it. */
export interface Keeper {
  readonly pid: number;
  /** Ends it. True where it had been ended before: systemd stops a unit by a signal to whoever is in it, and none of ours but SIGKILL. */
  end(): Promise<boolean>;
}

/** A copy of the native program that reads a recipe from a pipe that stays empty. */
export function startKeeper(native: string): Keeper {
  const child = Bun.spawn([native, "run", "-"], { stdio: ["pipe", "ignore", "ignore"], env: {} });
  return {
    pid: child.pid,
    async end() {
      child.kill("SIGKILL");
      await child.exited;
      return child.signalCode !== "SIGKILL";
    },
  };
}
