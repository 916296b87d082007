import { bufferFrom, LeanBuffer } from "./buffer.ts";

/** The web's class, for whole texts. */
export class TextEncoder {
  encode(text: string): Uint8Array {
    return bufferFrom(text);
  }
}

/** The web's class, for whole texts of UTF-8. A byte order mark is kept. */
export class TextDecoder {
  private readonly fatal: boolean;

  constructor(_label?: string, { fatal = false }: { readonly fatal?: boolean } = {}) {
    this.fatal = fatal;
  }

  decode(bytes: Uint8Array): string {
    const text = system.decode(bytes);
    if (this.fatal && text.includes("\ufffd") && LeanBuffer.compare(bufferFrom(text), bytes) !== 0) {
      throw new TypeError("not UTF-8");
    }
    return text;
  }
}
