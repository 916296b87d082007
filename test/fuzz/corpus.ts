/** What the fuzzers start from, and what once went wrong: test/fuzz/corpus. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../../src/recipe/encode.ts";
import { step } from "../../src/recipe/recipe.ts";
import { tryConfig } from "./config-target.ts";

export interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function samplesIn(kind: "config" | "recipe"): Sample[] {
  const folder = join(import.meta.dir, "corpus", kind);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** Configurations: whole ones, and those that broke something once. */
export function configSamples(): readonly { readonly name: string; readonly text: string }[] {
  return samplesIn("config").map(({ name, bytes }) => ({ name, text: new TextDecoder().decode(bytes) }));
}

/** Recipes: those that broke something once, one with every kind of argument, and those of all good configurations. */
export function recipeSamples(): readonly Sample[] {
  const compiled = configSamples().flatMap(({ name, text }) =>
    [0, 1, 2, 3].flatMap((variant) => {
      const outcome = tryConfig(text, variant);
      return "recipe" in outcome ? [{ name: `${name}.${variant}`, bytes: outcome.recipe }] : [];
    }),
  );
  return [...samplesIn("recipe"), { name: "kinds", bytes: everyKind() }, ...compiled];
}

function everyKind(): Uint8Array {
  const cause = "cause";
  const request = new Uint8Array(64);
  return encode({
    sections: {
      outside: [
        step("openat", ["cwd", "/", 0, 0], { cause, out: "root", tolerate: [2, 13] }),
        step("pipe", ["r", "w", 0], { cause }),
        step("netlink", [0, request, { kind: "slot", offset: 60, slot: "r" }], { cause }),
        step("netlink", [0, request, { kind: "interfaceIndex", offset: 0, name: "lo" }], { cause }),
        step("netlink", [0, request, { kind: "pid", offset: 32 }], { cause }),
        step("netlink", [0, request, { kind: "none" }], { cause }),
        step("clone", [0, "none", 1], { cause }),
      ],
      inside: [
        step("exec", [new TextEncoder().encode("a\0b\0"), new TextEncoder().encode("C=d\0"), "/bin"], { cause }),
      ],
    },
    shim: {
      stdio: { stdin: "w", stdout: "r" },
      openStdin: true,
      stdinOnce: false,
      socketPath: "/socket",
      statusPath: "/status",
      timingsPath: "/timings",
      log: { path: "/log", maxSize: 1000, maxFiles: 3 },
      restart: { policy: "always", maxRetries: 0 },
      oom: { path: "/memory.events" },
    },
  });
}
