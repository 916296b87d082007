import { Expansion } from "../verify/expansion.ts";
import { formatOf, HEAD } from "./format.ts";
import { Inflater } from "./inflater.ts";

/** Bytes of output at a time: a processor's nearer memory has room for it. */
const PIECE = 1 << 17;

/** As `decompress`, in this thread and without promises, for a thread that has nothing else to do. A piece is good until the next is asked for. */
export function* decompressSync(source: Iterable<Uint8Array>): Generator<Uint8Array> {
  const iterator = source[Symbol.iterator]();
  try {
    const head = readHead(iterator);
    const format = formatOf(head);
    if (format === "tar") yield* concat(head, iterator);
    else yield* inflate(concat(head, iterator), format);
  } finally {
    iterator.return?.();
  }
}

/** Enough of the beginning to know the format, or all there is. */
function readHead(iterator: Iterator<Uint8Array>): Uint8Array {
  let head = new Uint8Array();
  while (head.length < HEAD) {
    const { value, done } = iterator.next();
    if (done === true) break;
    head = Buffer.concat([head, value as Uint8Array]);
  }
  return head;
}

function* concat(head: Uint8Array, rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let step = rest.next(); step.done !== true; step = rest.next()) yield step.value;
}

function* inflate(source: Iterable<Uint8Array>, format: "gzip" | "zstd"): Generator<Uint8Array> {
  const expansion = new Expansion();
  const piece = Buffer.allocUnsafeSlow(PIECE);
  using inflater = new Inflater(format);
  for (const chunk of source) {
    expansion.packed(chunk.length);
    yield* pieces(inflater, chunk, piece, expansion);
  }
  yield* pieces(inflater, undefined, piece, expansion);
}

/** All that comes out for one chunk, or at the end. */
function* pieces(
  inflater: Inflater,
  chunk: Uint8Array | undefined,
  piece: Uint8Array,
  expansion: Expansion,
): Generator<Uint8Array> {
  for (let at = 0, more = true; more; ) {
    const { taken, made } = inflater.step(chunk?.subarray(at), piece);
    at += taken;
    more = made === piece.length;
    expansion.check(made);
    if (made > 0) yield piece.subarray(0, made);
  }
}
