/** How flag values are written, in docker's and Go's notations. Each parser throws an Error that names the text. */

const truths: Readonly<Record<string, boolean>> = {
  "1": true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/** The twelve spellings of Go's strconv.ParseBool. */
export function parseBool(text: string): boolean {
  const value = Object.hasOwn(truths, text) ? truths[text] : undefined;
  if (value === undefined) throw new Error("it takes true or false");
  return value;
}

/** A decimal or `0x` whole number with an optional sign. */
export function parseInteger(text: string): number {
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)$/.test(text)) {
    throw new Error("it takes a whole number");
  }
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[+-]/, "").replace(/^0([0-7]+)$/, "0o$1");
  const value = sign * Number(digits);
  if (!Number.isSafeInteger(value)) throw new Error("the number is out of range");
  return value === 0 ? 0 : value;
}

const powers: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes from `1024`, `512k`, `1.5g`, `2GiB`, `10 MB`: binary multiples whatever the spelling, as docker's flags have it.
 */
export function parseSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?([a-zA-Z]*)$/.exec(text);
  if (match === null) throw new Error(`invalid size: '${text}'`);
  const unit = /^(?:([kmgtp])(?:i?b)?|b|)$/.exec((match[2] ?? "").toLowerCase());
  if (unit === null) throw new Error(`invalid suffix: '${match[2]}'`);
  const bytes = Math.trunc(Number(match[1]) * 1024 ** (powers[unit[1] ?? ""] ?? 0));
  if (!Number.isSafeInteger(bytes)) throw new Error(`the size is out of range: '${text}'`);
  return bytes;
}
