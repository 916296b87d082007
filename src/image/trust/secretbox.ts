import { timingSafeEqual } from "node:crypto";

/**
 * NaCl's secretbox: XSalsa20 and Poly1305 (cr.yp.to, "Cryptography in NaCl"). Bun has neither. It is used for the files of sigstore's private keys
 * alone, which are a few hundred bytes; nothing here hides how long it takes.
 */
export function sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const stream = keyStream(key, nonce, 32 + message.length);
  const hidden = xor(message, stream.subarray(32));
  return Buffer.concat([poly1305(hidden, stream.subarray(0, 32)), hidden]);
}

/** The message of a box; `undefined` where the key is wrong or the box was changed. */
export function openBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  if (box.length < 16) return undefined;
  const [tag, hidden] = [box.subarray(0, 16), box.subarray(16)];
  const stream = keyStream(key, nonce, 32 + hidden.length);
  return timingSafeEqual(poly1305(hidden, stream.subarray(0, 32)), tag) ? xor(hidden, stream.subarray(32)) : undefined;
}

function xor(bytes: Uint8Array, stream: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => byte ^ (stream[at] ?? 0));
}

/** "expand 32-byte k" as four little-endian words. */
const constants = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** Quarter rounds of the columns and of the rows: positions in the state of 16 words. */
const quarters = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Twenty rounds of Salsa20 on a state. */
function rounds(state: Int32Array): Int32Array {
  const x = Int32Array.from(state);
  const at = (index: number) => x[index] ?? 0;
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of quarters) {
      x[b] = at(b) ^ rotate((at(a) + at(d)) | 0, 7);
      x[c] = at(c) ^ rotate((at(b) + at(a)) | 0, 9);
      x[d] = at(d) ^ rotate((at(c) + at(b)) | 0, 13);
      x[a] = at(a) ^ rotate((at(d) + at(c)) | 0, 18);
    }
  }
  return x;
}

/** Salsa20's state: constants on the diagonal, the key around them, 16 bytes of nonce and counter in the middle. */
function stateOf(key: Uint8Array, middle: Uint8Array): Int32Array {
  const words = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true));
  };
  const [k, n] = [words(key), words(middle)];
  const [c0, c1, c2, c3] = constants;
  return Int32Array.from([c0, ...k.slice(0, 4), c1, ...n, c2, ...k.slice(4), c3]);
}

function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setInt32(index * 4, word, true);
  return bytes;
}

/** XSalsa20's stream for a nonce of 24 bytes: HSalsa20 makes a key of the first 16, Salsa20 goes on with it and the rest. */
function keyStream(key: Uint8Array, nonce: Uint8Array, length: number): Uint8Array {
  const first = rounds(stateOf(key, nonce.subarray(0, 16)));
  const subkey = bytesOf([0, 5, 10, 15, 6, 7, 8, 9].map((index) => first[index] ?? 0));
  const blocks: Uint8Array[] = [];
  for (let counter = 0; counter * 64 < length; counter++) {
    const middle = new Uint8Array(16);
    middle.set(nonce.subarray(16, 24));
    new DataView(middle.buffer).setUint32(8, counter, true);
    const state = stateOf(subkey, middle);
    const mixed = rounds(state);
    blocks.push(bytesOf([...state].map((word, index) => (word + (mixed[index] ?? 0)) | 0)));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex") || "0"}`);
}

/** The one-time authenticator of RFC 8439 section 2.5. */
export function poly1305(message: Uint8Array, key: Uint8Array): Uint8Array {
  const p = (1n << 130n) - 5n;
  const r = littleEndian(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % p;
  }
  const tag = (sum + littleEndian(key.subarray(16, 32))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}
