/** A digest or ID as lists show it: without its algorithm, twelve digits. */
export function shortId(id: string): string {
  const digits = id.slice(id.indexOf(":") + 1);
  return digits.slice(0, 12);
}

/** Text of at most `width` columns, with … for what is cut off. */
export function ellipsis(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let cut = "";
  for (const character of text) {
    if (Bun.stringWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/** A command as one line; words with spaces stand in single quotes. */
export function commandLine(path: string, args: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))].join(" ");
}

/** Text in double quotes, with what does not print escaped. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** `key=value` pairs in the order of their keys, with commas. */
export function joinLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}
