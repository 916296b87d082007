import { invalidOption } from "./invalid.ts";

/**
 * The fields of one line of comma-separated values (RFC 4180): a field in double quotes may hold commas, and quotes doubled.
 * Throws `invalid_argument` for a quote that is out of place or left open.
 */
export function splitCsv(line: string): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    const quoted = line[at] === '"';
    const end = quoted ? endOfQuotes(line, at) : endOfPlain(line, at);
    fields.push(quoted ? line.slice(at + 1, end - 1).replaceAll('""', '"') : line.slice(at, end));
    if (end >= line.length) return fields;
    at = end + 1;
  }
}

function endOfPlain(line: string, start: number): number {
  const comma = line.indexOf(",", start);
  const end = comma < 0 ? line.length : comma;
  if (line.slice(start, end).includes('"')) {
    throw invalidOption(`a quote in the middle of a field: ${line}`, 'put the whole field in quotes: "key=a,b"');
  }
  return end;
}

/** The place after the closing quote, where a comma or nothing follows. */
function endOfQuotes(line: string, start: number): number {
  for (let at = line.indexOf('"', start + 1); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] === '"') continue;
    if (at + 1 < line.length && line[at + 1] !== ",") break;
    return at + 1;
  }
  throw invalidOption(`a quoted field without its end: ${line}`);
}
