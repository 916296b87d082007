/** How a stream of bytes is wanted. */
export interface Lending {
  /** Chunks are lent: each is good until the next is asked for. Far less memory is touched then. */
  readonly lend?: boolean;
}

/**
 * Takes each chunk's memory back when the next is asked for, where the chunk lies alone in it. Left to the garbage collector, some thirty
 * megabytes would pile up, whose pages the kernel hands out one by one; what was in use a moment ago is there, and in the processor's cache.
 */
export async function* lent(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    yield chunk;
    const memory = chunk.buffer;
    if (memory instanceof ArrayBuffer && memory.byteLength === chunk.byteLength) memory.transfer(0);
  }
}
