/** A number with `precision` significant digits as C's and Go's `%.Ng` print it: no trailing zeros, an exponent where it is shorter. */
export function formatG(value: number, precision: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(1, precision);
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent >= -4 && exponent < digits) return stripZeros(value.toFixed(digits - 1 - exponent));
  const [mantissa = "", power = "+0"] = value.toExponential(digits - 1).split("e");
  return `${stripZeros(mantissa)}e${power.slice(0, 1)}${power.slice(1).padStart(2, "0")}`;
}

function stripZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
