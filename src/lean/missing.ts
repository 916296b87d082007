/** Functions of newer editions of the language that the engine lacks and the OCI runtime uses. */

function at<T>(this: ArrayLike<T>, index: number): T | undefined {
  return this[index < 0 ? this.length + index : index];
}

function findLast<T>(this: readonly T[], matches: (item: T) => boolean): T | undefined {
  for (let index = this.length - 1; index >= 0; index -= 1) {
    const item = this[index] as T;
    if (matches(item)) return item;
  }
  return undefined;
}

function toSorted<T>(this: readonly T[], compare?: (one: T, other: T) => number): T[] {
  return [...this].sort(compare);
}

function toReversed<T>(this: readonly T[]): T[] {
  return [...this].reverse();
}

const HALF = /[\ud800-\udfff]/u;

function isWellFormed(this: string): boolean {
  return !HALF.test(this);
}

function toWellFormed(this: string): string {
  return this.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

function hasOwn(object: object, key: PropertyKey): boolean {
  return Object.getOwnPropertyDescriptor(object, key) !== undefined;
}

/** As they are defined where they are missing; their `this` is what they are called on. */
export const functions = { at, findLast, hasOwn, isWellFormed, toReversed, toSorted, toWellFormed } as const;

function define(target: object, functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions)) {
    if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
}

const NativeError = Error;

/** Errors with a cause (ECMA-262, InstallErrorCause); those that the engine itself throws count as such too. */
class ErrorWithCause extends NativeError {
  constructor(message?: string, options: { readonly cause?: unknown } = {}) {
    super(message);
    if ("cause" in options) this.cause = options.cause;
  }
}

/** Not inherited by meaning: of a class below it, an error is an instance as of any class. */
function isError(this: unknown, value: unknown): boolean {
  if (this === ErrorWithCause) return value instanceof NativeError;
  return Function.prototype[Symbol.hasInstance].call(this as () => void, value);
}

export function addMissing(): void {
  define(Object, { hasOwn });
  define(Array.prototype, { at, findLast, toSorted, toReversed });
  define(String.prototype, { isWellFormed, toWellFormed, at });
  define(Object.getPrototypeOf(Uint8Array.prototype) as object, { at });
  Object.defineProperty(ErrorWithCause, Symbol.hasInstance, { value: isError });
  globalThis.Error = ErrorWithCause as ErrorConstructor;
}
