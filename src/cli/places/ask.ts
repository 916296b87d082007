import type { Cli } from "../cli.ts";
import { standardInput } from "../terminal/input.ts";

/** Lines of standard input, read as they are asked for. */
export class Answers {
  #rest = "";
  readonly #input = standardInput();

  constructor(private readonly cli: Cli) {}

  /** Shows a question and gives the line that answers it. */
  async line(question: string): Promise<string> {
    this.cli.out(question);
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#input.next();
      if (done === true) break;
      this.#rest += Buffer.from(value).toString("utf8");
    }
    const end = this.#rest.indexOf("\n");
    const line = end < 0 ? this.#rest : this.#rest.slice(0, end);
    this.#rest = end < 0 ? "" : this.#rest.slice(end + 1);
    return line.replace(/\r$/, "");
  }

  /** As {@link line}, without showing what is typed. */
  async secret(question: string): Promise<string> {
    if (!this.cli.isTerminal(0)) return this.line(question);
    const { setTerminal, silentSettings, terminalSettings } = await import("../terminal/termios.ts");
    const before = terminalSettings(0);
    const restore = () => setTerminal(0, before);
    process.once("exit", restore);
    setTerminal(0, silentSettings(before));
    try {
      return await this.line(question);
    } finally {
      restore();
      process.off("exit", restore);
      this.cli.out("\n");
    }
  }

  /** All that is left, as a password piped in is. */
  async all(): Promise<string> {
    for await (const chunk of this.#input) this.#rest += Buffer.from(chunk).toString("utf8");
    return this.#rest;
  }
}
