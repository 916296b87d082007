/** Writes prebuilt.ts anew: `bun src/linux/seccomp/generate-prebuilt.ts`, after a change of the profile, tables or compiler. */
import { writeFileSync } from "node:fs";
import { compileFilter } from "./compile.ts";
import type { Machine } from "./numbers.ts";
import { defaultProfile } from "./profile.ts";
import { resolveProfile } from "./resolve.ts";

const machines = ["x86_64", "aarch64"] as const;

/** The module's text, for writing and for comparing. */
export function prebuiltModule(): string {
  return `/** The default profile's program for the default capabilities, base64. Made by generate-prebuilt.ts. */
import type { Machine } from "./numbers.ts";

/** struct sock_filter, as compileFilter gives it. */
export const prebuilt: Readonly<Partial<Record<Machine, string>>> = {
${machines.map(entry).join("\n")}
};
`;
}

function entry(machine: Machine): string {
  const target = { capabilities: ["CAP_SYS_CHROOT"], machine, kernel: "6.1" };
  const { program } = compileFilter(resolveProfile(defaultProfile(), target), machine);
  return `  ${machine}:\n    "${program.toBase64()}",`;
}

if (import.meta.main) writeFileSync(new URL("prebuilt.ts", import.meta.url), prebuiltModule());
