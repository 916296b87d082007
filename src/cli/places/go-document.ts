/** A document as Go's encoder prints it: indented by four, with the characters escaped that HTML minds. */
export function goDocument(value: unknown): string {
  const text = JSON.stringify(value, undefined, 4).replace(/[<>&\u2028\u2029]/g, escaped);
  return `${text}\n`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
