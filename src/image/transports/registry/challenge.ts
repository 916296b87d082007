/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). Scheme and parameter names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Takes a `WWW-Authenticate` header apart. Several challenges may stand in one header, separated by the same commas that
 * separate parameters: a word that no `=` follows begins the next challenge. What cannot be read ends the list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const name = (match[1] ?? "").toLowerCase();
    const current = challenges.at(-1);
    if (match[2] === undefined) challenges.push({ scheme: name, parameters: {} });
    else if (current !== undefined) current.parameters[name] = match[3]?.replace(/\\(.)/g, "$1") ?? match[4] ?? "";
  }
  return challenges;
}
