import { join, normalize } from "node:path";

/** One TypeScript file, its path relative to the repository with `/` between the parts. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** From the ground up; tiers in one row are siblings that know nothing of each other. */
export const tiers: readonly (readonly string[])[] = [
  ["errors"],
  ["spec"],
  ["linux"],
  ["recipe", "state"],
  ["image", "network", "runtime"],
  ["engine", "registry"],
  ["build"],
  ["compose"],
  ["api"],
  ["cli", "library"],
  ["lean"],
];

/** The most lines that a file may have. */
export const MAX_LINES = 400;

/**
 * Every module that a file names, in order: static, dynamic, re-exported and type-only imports. A dynamic import
 * whose argument is no literal is reported as undefined.
 */
export function importsOf(text: string): (string | undefined)[] {
  const code = withoutComments(text);
  const pattern =
    /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*(["'])([^"'\n]+)\1|\bimport\s*(["'])([^"'\n]+)\3|(?<![.\w])(?:import|require)\s*\(\s*(?:(["'`])([^"'`\n$]+)\5|[^)\s])/g;
  return [...code.matchAll(pattern)].map((match) => match[2] ?? match[4] ?? match[6]);
}

/** Comments become blanks, so that an example in one is no import; strings stay as they are. */
function withoutComments(text: string): string {
  const token = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (_, literal?: string) => literal ?? " ");
}

/** Imports that go up or to a sibling tier, that leave src/ and that no build can follow; one line for each. */
export function importViolations(file: SourceFile, packages: readonly string[]): string[] {
  return importsOf(file.text).flatMap((specifier) => {
    const problem = specifier === undefined ? "a computed path" : problemOf(file.path, specifier, packages);
    return problem === undefined ? [] : [`${file.path} imports ${problem}`];
  });
}

function problemOf(path: string, specifier: string, packages: readonly string[]): string | undefined {
  if (!specifier.startsWith(".")) return packageProblem(path, specifier, packages);
  const target = normalize(join(path, "..", specifier));
  if (!path.startsWith("src/")) return undefined;
  if (!target.startsWith("src/")) return isBuilt(target) ? undefined : `${target}: outside src/`;
  const [from, to] = [tierOf(path), tierOf(target)];
  if (from === to) return undefined;
  const [low, high] = [rank(from), rank(to)];
  if (low === undefined) return `${target}, but ${from} has no place in the order of tiers`;
  if (high === undefined) return `${target}: ${to} has no place in the order of tiers`;
  if (high > low) return `${target}: upward (${from} → ${to})`;
  return high === low ? `${target}: sideways (${from} → ${to})` : undefined;
}

/** The build's own products, which the released executable embeds. */
function isBuilt(target: string): boolean {
  return target.startsWith("build/embed/");
}

function packageProblem(path: string, specifier: string, packages: readonly string[]): string | undefined {
  if (/^(node|bun):/.test(specifier) || specifier === "bun" || !path.startsWith("src/")) return undefined;
  const name = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0];
  return packages.includes(name ?? "") ? undefined : `${specifier}: no dependency in package.json`;
}

/** `image` of src/image/pull.ts, `errors` of src/errors.ts. */
function tierOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.ts$/, "");
}

function rank(tier: string): number | undefined {
  const found = tiers.findIndex((row) => row.includes(tier));
  return found === -1 ? undefined : found;
}

/** A file that is too long, as one line of text. */
export function lengthViolations(file: SourceFile): string[] {
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  return lines > MAX_LINES ? [`${file.path} has ${lines} lines, more than ${MAX_LINES}`] : [];
}

/** Default exports; declarations of modules that are not TypeScript cannot do without. */
export function defaultExportViolations(file: SourceFile): string[] {
  if (file.path.endsWith(".d.ts")) return [];
  const found = /^\s*export\s*(?:\bdefault\b|\{[^}]*\bas\s+default\b)/m.test(withoutComments(file.text));
  return found ? [`${file.path} has a default export`] : [];
}

/** Directories (with `/` at the end) that the guide has no line for; a line begins with the name, marked up or not. */
export function undescribed(guide: string, directories: readonly string[]): string[] {
  const lines = guide.split("\n").map((line) => line.replace(/^[\s|*`-]+/, ""));
  return directories
    .filter((directory) => !lines.some((line) => describes(line, directory)))
    .map((directory) => `docs/architecture.md has no line for ${directory}`);
}

function describes(line: string, directory: string): boolean {
  const name = [directory, directory.replace(/^src\/(?=.)/, "")].find((spelling) => line.startsWith(spelling));
  return name !== undefined && /^[`\s|:]+\s*\S/.test(line.slice(name.length));
}
