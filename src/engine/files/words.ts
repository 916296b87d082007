/**
 * Splits a line into words as a shell would without expanding anything: at white space outside of quotes; a backslash takes the next
 * character as it is, but in single quotes. An open quote ends with the line.
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:\\.|"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s"'\\]|\\$)+/gs))
    words.push(unquoted(word));
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /\\(.)|"((?:\\.|[^"\\])*)"?|'([^']*)'?/gs,
    (_, escaped?: string, double?: string, single?: string) => {
      if (escaped !== undefined) return escaped;
      return double === undefined ? (single ?? "") : double.replace(/\\(["\\$])/g, "$1");
    },
  );
}
