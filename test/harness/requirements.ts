import { test } from "bun:test";
import { existsSync } from "node:fs";
import { patience } from "./patience.ts";

/** What a test needs of the machine. */
export interface Requirements {
  readonly root?: boolean;
  readonly commands?: readonly string[];
  readonly paths?: readonly string[];
}

/** Why a test cannot run here, as words; undefined where it can. */
export function missing(needs: Requirements): string | undefined {
  if (needs.root === true && process.geteuid?.() !== 0) return "needs root";
  const command = needs.commands?.find((name) => Bun.which(name) === null);
  if (command !== undefined) return `needs ${command}`;
  const path = needs.paths?.find((name) => !existsSync(name));
  return path === undefined ? undefined : `needs ${path}`;
}

/**
 * A test that is skipped, with the reason in its name, where the machine lacks what it needs. `timeout` is in milliseconds, and longer
 * by the factor GALLEY_TEST_PATIENCE.
 */
export function testWith(needs: Requirements, name: string, body: () => void | Promise<void>, timeout?: number): void {
  const reason = missing(needs);
  if (reason === undefined) test(name, body, timeout === undefined ? undefined : timeout * patience);
  else test.skip(`${name} (${reason})`, body);
}
