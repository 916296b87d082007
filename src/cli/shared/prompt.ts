import type { Cli } from "../cli.ts";
import { standardInput } from "../terminal/input.ts";

/** Asks for a yes; anything else, and the end of the input, is a no. */
export async function confirm(cli: Cli, warning: string): Promise<boolean> {
  cli.out(`${warning}\nAre you sure you want to continue? [y/N] `);
  let answer = "";
  for await (const chunk of standardInput()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n")) break;
  }
  return /^y(es)?\s*$/i.test(answer.split("\n", 1)[0] ?? "");
}
