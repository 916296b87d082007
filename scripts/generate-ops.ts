/**
 * Makes native/ops.h from src/recipe/ops.ts: `bun scripts/generate-ops.ts`. With `--print` the text goes to standard output
 * instead, so that a test can compare it with the committed file.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixupKinds, type OpSpec, ops, resolveKind, sectionNames, verifyKind } from "../src/recipe/ops.ts";

/** Operations below this number are plain system calls. */
const FIRST_COMPOUND = 64;
/** Argument words of a step. */
const MAX_WORDS = 6;

/** Operations whose system call has another name. */
const otherNames: Readonly<Record<string, string>> = { umount: "umount2" };
/** System calls that take a length before the pointer it belongs to. */
const lengthFirst: ReadonlySet<string> = new Set(["sched_setaffinity"]);

function kinds(name: string, spec: OpSpec): string {
  const words = spec.params.map((param) => {
    const kind = (param.split(":")[1] ?? "").toUpperCase();
    return `KIND_${kind === "DATA" && lengthFirst.has(name) ? "LENGTH_DATA" : kind}`;
  });
  return [...words, ...Array.from({ length: MAX_WORDS - words.length }, () => "KIND_NONE")].join(", ");
}

function entry(name: string, spec: OpSpec): string {
  const result = spec.result ? 1 : 0;
  const target = spec.code < FIRST_COMPOUND ? (otherNames[name] ?? name) : name;
  return `  X(${name.toUpperCase()}, ${target}, ${result}, ${kinds(name, spec)})`;
}

function list(macro: string, entries: readonly [string, OpSpec][]): string {
  return `#define ${macro}(X) \\\n${entries.map(([name, spec]) => entry(name, spec)).join(" \\\n")}\n`;
}

function constants(prefix: string, names: readonly (readonly [string, number])[]): string {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `enum {\n${names.map(([name, value]) => `  ${prefix}_${snake(name)} = ${value},\n`).join("")}};\n`;
}

/** The whole header. */
export function opsHeader(): string {
  const all = Object.entries<OpSpec>(ops);
  const numbered = (names: readonly string[]) => names.map((name, index) => [name, index] as const);
  return [
    "/* Made from src/recipe/ops.ts by scripts/generate-ops.ts: change it there and run the script. */",
    "#ifndef OPS_H\n#define OPS_H\n",
    "/* How a step's argument words are read. KIND_FIXUP takes three words, every other kind one. */",
    "enum kind {\n  KIND_NONE,\n  KIND_U64,\n  KIND_STR,\n  KIND_DATA,\n  KIND_LENGTH_DATA,\n  KIND_PTR,\n  KIND_FD,\n  KIND_SLOT,\n  KIND_FIXUP,\n};\n",
    constants(
      "OP",
      all.map(([name, spec]) => [name, spec.code] as const),
    ),
    `#define FIRST_COMPOUND_OP ${FIRST_COMPOUND}`,
    `#define OP_LIMIT ${Math.max(...all.map(([, spec]) => spec.code)) + 1}\n`,
    constants("SECTION", numbered(sectionNames)).replace("};", `  SECTION_COUNT = ${sectionNames.length},\n};`),
    constants("RESOLVE", Object.entries(resolveKind)),
    constants("VERIFY", Object.entries(verifyKind)),
    constants("FIXUP", numbered(fixupKinds)),
    "/* X(operation, system call, whether the result is a descriptor, kinds of six arguments) */",
    list(
      "PLAIN_OPERATIONS",
      all.filter(([, spec]) => spec.code < FIRST_COMPOUND),
    ),
    "/* X(operation, name of its function after step_, whether the result is a descriptor, kinds of six arguments) */",
    list(
      "COMPOUND_OPERATIONS",
      all.filter(([, spec]) => spec.code >= FIRST_COMPOUND),
    ),
    "#endif",
    "",
  ].join("\n");
}

if (import.meta.main) {
  if (process.argv.includes("--print")) process.stdout.write(opsHeader());
  else writeFileSync(join(import.meta.dir, "../native/ops.h"), opsHeader());
}
