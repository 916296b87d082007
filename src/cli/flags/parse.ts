import { UsageError } from "../usage-error.ts";
import type { Flag, FlagSet, FlagValues } from "./flag.ts";

export interface Parsed<F extends FlagSet> {
  readonly values: FlagValues<F>;
  /** What is not a flag, in order. */
  readonly args: readonly string[];
  /** The long names of the flags that were given, aliases under the name of the flag that they set. */
  readonly changed: ReadonlySet<string>;
}

export interface ParseOptions {
  /** Flags may follow arguments (the default). Without it the first argument ends the flags: `run IMAGE ls -l`. */
  readonly interspersed?: boolean;
}

interface Found {
  readonly name: string;
  readonly flag: Flag<unknown>;
}

/**
 * Reads flags as POSIX and GNU programs do: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, groups of
 * switches `-it`, and `--` as the end of flags. A lone `-` is an argument. Throws {@link UsageError} with status 125.
 */
export function parseFlags<F extends FlagSet>(
  flags: F,
  argv: readonly string[],
  options: ParseOptions = {},
): Parsed<F> {
  const parser = new Parser(flags, argv);
  parser.run(options.interspersed ?? true);
  return { values: parser.values as FlagValues<F>, args: parser.args, changed: parser.changed };
}

class Parser {
  readonly values: Record<string, unknown> = {};
  readonly args: string[] = [];
  readonly changed = new Set<string>();
  #at = 0;

  constructor(
    readonly flags: FlagSet,
    readonly argv: readonly string[],
  ) {
    for (const [name, flag] of Object.entries(flags)) this.values[name] = flag.initial;
  }

  run(interspersed: boolean): void {
    for (let arg = this.#next(); arg !== undefined; arg = this.#next()) {
      if (arg === "--") break;
      if (arg.startsWith("--")) this.#long(arg);
      else if (arg.startsWith("-") && arg !== "-") this.#group(arg.slice(1));
      else this.args.push(arg);
      if (!interspersed && this.args.length > 0) break;
    }
    this.args.push(...this.argv.slice(this.#at));
  }

  #next(): string | undefined {
    return this.argv[this.#at++];
  }

  #long(arg: string): void {
    const at = arg.indexOf("=");
    const name = at < 0 ? arg.slice(2) : arg.slice(2, at);
    if (name === "" || name.startsWith("-")) throw new UsageError(`bad flag syntax: ${arg}`);
    const flag = Object.hasOwn(this.flags, name) ? this.flags[name] : undefined;
    if (flag === undefined) throw new UsageError(`unknown flag: --${name}`);
    const text = at < 0 ? (flag.bare ?? this.#next()) : arg.slice(at + 1);
    if (text === undefined) throw new UsageError(`flag needs an argument: --${name}`);
    this.#set({ name, flag }, text);
  }

  /** `letters` is what follows the dash: switches, then possibly one flag with its value. */
  #group(letters: string): void {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] ?? "";
      const found = this.#byLetter(letter, letters);
      const rest = letters.slice(at + 1);
      const attached = rest.startsWith("=");
      if (found.flag.bare !== undefined && !attached) {
        this.#set(found, found.flag.bare);
        continue;
      }
      const text = attached ? rest.slice(1) : rest === "" ? this.#next() : rest;
      if (text === undefined) throw new UsageError(`flag needs an argument: '${letter}' in -${letters}`);
      this.#set(found, text);
      return;
    }
  }

  #byLetter(letter: string, letters: string): Found {
    for (const [name, flag] of Object.entries(this.flags)) if (flag.short === letter) return { name, flag };
    throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters}`);
  }

  #set({ name, flag }: Found, text: string): void {
    const target = flag.aliasOf ?? name;
    try {
      this.values[target] = flag.set(this.values[target], text);
    } catch (failure) {
      throw failure instanceof UsageError ? failure : invalidArgument(name, flag, text, failure);
    }
    this.changed.add(target);
  }
}

function invalidArgument(name: string, flag: Flag<unknown>, text: string, failure: unknown): UsageError {
  const shown = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
  const reason = failure instanceof Error ? failure.message : String(failure);
  return new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${reason}`);
}

/**
 * As a flag's own parser would fail: for values that are converted only once the command runs, because their converter is
 * not loaded before it is needed.
 */
export function convertFlag<T>(flags: FlagSet, name: string, text: string, convert: (text: string) => T): T {
  try {
    return convert(text);
  } catch (failure) {
    const flag = flags[name];
    throw flag === undefined ? failure : invalidArgument(name, flag, text, failure);
  }
}
