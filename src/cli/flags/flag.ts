/**
 * One option of a command: how its text becomes a value, and what help says of it. `T` is what the command is given.
 * Flags are immutable; the parser threads the value through {@link Flag.set}.
 */
export interface Flag<T> {
  readonly usage: string;
  /** A single letter. */
  readonly short?: string;
  /** The word behind the name in help (`string`, `list`, `bytes` …); empty for a switch. */
  readonly type: string;
  readonly initial: T;
  /** The text that the flag without `=value` stands for; absent: the flag needs a value. */
  readonly bare?: string;
  /** How help shows the default; absent where there is none worth showing. */
  readonly shownDefault?: string;
  /** Not in help: an old or second spelling. */
  readonly hidden?: boolean;
  /** The flag whose value this one sets. */
  readonly aliasOf?: string;
  /** The value after one more occurrence. Throws an Error whose message says what is wrong with `text`. */
  set(previous: T, text: string): T;
}

/** A command's flags by their long names. */
export type FlagSet = Readonly<Record<string, Flag<unknown>>>;

/** What a command is given: a value for each of its flags. */
export type FlagValues<F extends FlagSet> = {
  readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

/** What a flag declares beside its kind. */
export interface FlagOptions<T> {
  readonly usage: string;
  readonly short?: string;
  readonly initial?: T;
  readonly shownDefault?: string;
  readonly hidden?: boolean;
  readonly aliasOf?: string;
  /** Replaces the kind's word in help. */
  readonly type?: string;
}
