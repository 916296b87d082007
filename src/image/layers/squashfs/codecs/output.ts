/** What an unpacked block is written to: it never grows, and every copy is checked. */
export class Output {
  readonly bytes: Buffer;
  length = 0;

  constructor(most: number) {
    this.bytes = Buffer.allocUnsafe(most);
  }

  /** Adds bytes of the input. */
  literals(input: Uint8Array, from: number, count: number): void {
    if (from + count > input.length) throw new Error("it ends too early");
    if (count > this.bytes.length - this.length) throw new Error("it is larger than a block");
    this.bytes.set(input.subarray(from, from + count), this.length);
    this.length += count;
  }

  /** Adds again what stands `distance` bytes back, and may reach into what is being added. */
  repeat(distance: number, count: number): void {
    if (distance < 1 || distance > this.length) throw new Error("it refers to something before its beginning");
    if (count > this.bytes.length - this.length) throw new Error("it is larger than a block");
    const { bytes } = this;
    for (let to = this.length, from = to - distance, end = to + count; to < end; ) bytes[to++] = bytes[from++] ?? 0;
    this.length += count;
  }

  /** All of it. */
  get content(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** The byte of the input there. */
export function byteAt(input: Uint8Array, at: number): number {
  const byte = input[at];
  if (byte === undefined) throw new Error("it ends too early");
  return byte;
}
