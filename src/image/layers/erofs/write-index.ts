import { readSync } from "node:fs";
import { GalleyError } from "../../../errors.ts";
import { encodeName } from "../../../linux/sys/sys.ts";
import type { LayerTotals } from "../apply/layer-writer.ts";
import { piecesOf, writeChunks } from "./chunks.ts";
import { writeDirentBlock } from "./dirents.ts";
import { BLOCK, blocksOf, CHUNK_INDEX, CHUNK_INDEXES, encodeStart, INODE, LAYOUT, TYPE_BITS } from "./format.ts";
import type { LayerTree } from "./layer-tree.ts";
import { type Layout, layOut, type PlacedNode } from "./layout.ts";
import type { Node } from "./node.ts";
import { Output } from "./output.ts";
import { xattrCount } from "./xattrs.ts";

export interface IndexOptions {
  /** Descriptor of the whole tar, for reading. */
  readonly tar: number;
  readonly tarBytes: number;
  /** Descriptor of an empty file. */
  readonly index: number;
  /** 16 bytes by which the file system is told from others. */
  readonly uuid: Uint8Array;
}

/**
 * Writes the erofs file system that shows a layer: all that describes files is in the index, their content stays in the tar, which is
 * the file system's second device. Blocks have 512 bytes, as a tar's do. Kernels since 6.4 mount it.
 *
 * Fails as `unimplemented` for a sparse file that erofs has no form for; such a layer can only be unpacked.
 */
export function writeIndex(tree: LayerTree, options: IndexOptions): LayerTotals {
  const layout = layOut(tree.root);
  const output = new Output(options.index);
  const tarStart = layout.blocks;
  const start = encodeStart({
    inodes: layout.inodes.length,
    blocks: layout.blocks,
    xattrBlock: layout.xattrBlock,
    rootAt: tree.root.at,
    uuid: options.uuid,
    tarBlocks: blocksOf(options.tarBytes),
    tarStart,
  });
  output.take(0, start.length).set(start);
  layout.inodes.forEach((placed, position) => void writeInode(output, placed, position + 1, layout));
  const common = layout.table.common();
  output.take(layout.xattrBlock * BLOCK, common.length).set(common);
  for (const placed of layout.inodes) copyChunks(output, placed, layout, options.tar);
  output.end(layout.blocks * BLOCK);
  return tree.totals(layout.opaque);
}

function writeInode(output: Output, placed: PlacedNode, number: number, layout: Layout): void {
  const { node, xattrs } = placed;
  const head = INODE + (xattrs?.length ?? 0);
  const tail = placed.shape === "chunks" ? placed.listAt - node.at - head + placed.plan.count * CHUNK_INDEX : 0;
  const inline = placed.shape === "directory" || placed.shape === "symlink" ? placed.inline : 0;
  const bytes = output.take(node.at, head + tail + inline);
  writeHead(bytes, node, number, xattrs?.length ?? 0);
  if (xattrs !== undefined) bytes.set(xattrs, INODE);
  if (placed.shape === "chunks") {
    bytes.writeUInt16LE(CHUNK_INDEXES | placed.plan.bits, 16);
    setLayout(bytes, LAYOUT.CHUNKS, placed.node.size);
    writeChunks(bytes.subarray(placed.listAt - node.at), placed.node, placed.plan, layout.copyBlock + placed.copyBlock);
  } else if (placed.shape === "bare") writeBare(bytes, node, layout);
  else writeData(output, bytes, placed, head);
}

/** What all inodes have; the rest of the long form is set by their kind. */
function writeHead(bytes: Buffer, { attributes, kind, links }: Node, number: number, xattrBytes: number): void {
  const { mode, uid, gid, modified } = attributes;
  bytes.writeUInt16LE(xattrCount(xattrBytes), 2);
  bytes.writeUInt16LE(TYPE_BITS[kind] | mode, 4);
  bytes.writeUInt32LE(number, 20);
  bytes.writeUInt32LE(uid, 24);
  bytes.writeUInt32LE(gid, 28);
  bytes.writeInt32LE((modified.seconds % 2 ** 32) | 0, 32);
  bytes.writeInt32LE(Math.floor(modified.seconds / 2 ** 32), 36);
  bytes.writeUInt32LE(modified.nanoseconds, 40);
  bytes.writeUInt32LE(links, 44);
}

/** The lowest bit of the format says that the inode has the long form. */
function setLayout(bytes: Buffer, layout: number, size: number): void {
  bytes.writeUInt16LE((layout << 1) | 1, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 8);
  bytes.writeUInt32LE(Math.floor(size / 2 ** 32), 12);
}

/** Files in one piece, devices, pipes. The tar's blocks are numbered on from the index's. */
function writeBare(bytes: Buffer, node: Node, { blocks }: Layout): void {
  if (node.kind === "file") {
    setLayout(bytes, LAYOUT.PLAIN, node.size);
    if (node.size > 0) bytes.writeUInt32LE(blocks + blocksOf(node.start), 16);
  } else {
    setLayout(bytes, LAYOUT.PLAIN, 0);
    bytes.writeUInt32LE("device" in node ? node.device : 0, 16);
  }
}

type WithData = Extract<PlacedNode, { readonly inline: number }>;

function writeData(
  output: Output,
  bytes: Buffer,
  { node, size, dirents, inline, block }: WithData,
  head: number,
): void {
  setLayout(bytes, inline > 0 ? LAYOUT.INLINE : LAYOUT.PLAIN, size);
  bytes.writeUInt32LE(size > inline ? block : 0xffffffff, 16);
  if (dirents !== undefined) {
    const last = dirents.starts.length - 2;
    if (inline > 0) writeDirentBlock(bytes.subarray(head), dirents, last);
    for (let index = 0; index < last + (inline > 0 ? 0 : 1); index++) {
      writeDirentBlock(output.take((block + index) * BLOCK, BLOCK), dirents, index);
    }
  } else if (node.kind === "symlink") {
    const text = encodeName(node.target);
    (inline > 0 ? bytes.subarray(head) : output.take(block * BLOCK, text.length)).set(text);
  }
}

function copyChunks(output: Output, placed: PlacedNode, { copyBlock }: Layout, tar: number): void {
  if (placed.shape !== "chunks" || placed.plan.copied === undefined) return;
  const size = BLOCK * 2 ** placed.plan.bits;
  for (const [position, chunk] of placed.plan.copied.entries()) {
    const into = output.take((copyBlock + placed.copyBlock) * BLOCK + position * size, size);
    for (const { from, to, length } of piecesOf(placed.node, chunk, size)) {
      if (readSync(tar, into, to, length, from) !== length) {
        throw new GalleyError("data_loss", "the layer's tar is shorter than it was", { op: "index" });
      }
    }
  }
}
