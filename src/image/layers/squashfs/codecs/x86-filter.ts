/** By which of the three bytes before could have been a call, too: whether this one can be, and which byte of its address tells. */
const CAN_BE = [true, true, true, false, true, false, false, false];
const TELLING = [0, 1, 2, 2, 3, 3, 3, 3];

/** More often than it ever takes to find the address that an encoder had. */
const TRIES = 16;

/** Calls and jumps of x86 with addresses counted from themselves again, as processors have them (The .xz File Format, "BCJ filters"). Changes the bytes. */
export function x86Decoded(bytes: Buffer): Buffer {
  let before = -1;
  let mask = 0;
  for (let at = 0; at < bytes.length - 4; at++) {
    if (((bytes[at] as number) & 0xfe) !== 0xe8) continue;
    const gap = at - before;
    mask = gap > 3 ? 0 : (mask << (gap - 1)) & 7;
    before = at;
    const doubtful = mask !== 0 && (!CAN_BE[mask] || isEdge(bytes[at + 4 - (TELLING[mask] ?? 0)] as number));
    if (doubtful || !isEdge(bytes[at + 4] as number)) {
      mask = (mask << 1) | 1;
      continue;
    }
    bytes.writeUInt32LE(relative(bytes.readUInt32LE(at + 1), at + 5, mask), at + 1);
    at += 4;
  }
  return bytes;
}

/** The highest byte of an address that is near: in front or behind. */
function isEdge(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}

function relative(absolute: number, position: number, mask: number): number {
  const shift = (TELLING[mask] ?? 0) * 8;
  let address = (absolute - position) >>> 0;
  for (let tries = 0; mask !== 0 && isEdge((address >>> (24 - shift)) & 0xff); tries++) {
    if (tries === TRIES) throw new Error("it has a call to nowhere");
    address = ((address ^ (2 ** (32 - shift) - 1)) - position) >>> 0;
  }
  return ((address & 0x01ff_ffff) | -(address & 0x0100_0000)) >>> 0;
}
