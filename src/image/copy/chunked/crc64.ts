/** CRC-64 as ISO 3309 has it, reflected: the polynomial's upper half; the lower is zero. */
const POLYNOMIAL = 0xd8000000;

const [upper, lower] = tables();

/** What each byte adds, in halves of 32 bits. */
function tables(): readonly [Uint32Array, Uint32Array] {
  const [highs, lows] = [new Uint32Array(256), new Uint32Array(256)];
  for (let byte = 0; byte < 256; byte++) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high = (high >>> 1) ^ (odd === 1 ? POLYNOMIAL : 0);
    }
    highs[byte] = high;
    lows[byte] = low;
  }
  return [highs, lows];
}

/** The checksum that tar-split keeps of each file's content. */
export class Crc64 {
  #high = 0xffffffff | 0;
  #low = 0xffffffff | 0;

  update(bytes: Uint8Array): void {
    let [high, low] = [this.#high, this.#low];
    for (let at = 0; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lower[index] as number);
      high = (high >>> 8) ^ (upper[index] as number);
    }
    [this.#high, this.#low] = [high, low];
  }

  /** Eight bytes, the most significant first. */
  digest(): Buffer {
    const sum = Buffer.alloc(8);
    sum.writeInt32BE(~this.#high, 0);
    sum.writeInt32BE(~this.#low, 4);
    return sum;
  }
}
