import { GalleyError } from "../../../errors.ts";
import { type ChunkPlan, planChunks } from "./chunks.ts";
import { type Dirents, direntsOf } from "./dirents.ts";
import { alignUp, BLOCK, blocksOf, CHUNK_INDEX, FIRST_INODE, INODE } from "./format.ts";
import type { DirectoryNode, FileNode, Node, SymlinkNode } from "./node.ts";
import { OPAQUE, XattrTable } from "./xattrs.ts";

/** An inode with its place: itself, its attributes, then what is inline of it; whole blocks of it come after. */
export type PlacedNode =
  | { readonly shape: "bare"; readonly node: Node; readonly xattrs: Buffer | undefined }
  | {
      readonly shape: "chunks";
      readonly node: FileNode;
      readonly xattrs: Buffer | undefined;
      readonly plan: ChunkPlan;
      /** Where the list begins. */
      readonly listAt: number;
      /** Blocks, counted from where copies begin. */
      readonly copyBlock: number;
    }
  | {
      readonly shape: "directory" | "symlink";
      readonly node: DirectoryNode | SymlinkNode;
      readonly xattrs: Buffer | undefined;
      readonly size: number;
      readonly dirents: Dirents | undefined;
      /** Bytes behind the inode; the rest is in blocks from `block` on. */
      readonly inline: number;
      readonly block: number;
    };

/** Where everything lies. In bytes, but for what is called a block. */
export interface Layout {
  readonly inodes: readonly PlacedNode[];
  readonly opaque: number;
  readonly table: XattrTable;
  readonly xattrBlock: number;
  readonly copyBlock: number;
  readonly blocks: number;
}

/** Gives every inode below the root its place, and counts the names that lead to it. `root` may be laid out once. */
export function layOut(root: DirectoryNode): Layout {
  const nodes = inOrder(root);
  const table = new XattrTable();
  let opaque = 0;
  for (const node of nodes) {
    const xattrs = xattrsOf(node);
    if (xattrs !== undefined) table.count(xattrs);
    if (node.kind === "directory" && node.opaque) opaque++;
  }
  const common = table.share();
  const places = new Places(table);
  const inodes = nodes.map((node) => places.place(node));
  const xattrBlock = blocksOf(places.end);
  const copyBlock = xattrBlock + blocksOf(common);
  return { inodes, opaque, table, xattrBlock, copyBlock, blocks: copyBlock + places.copied };
}

/** Every inode once: what is in one directory stays together, behind it. */
function inOrder(root: DirectoryNode): readonly Node[] {
  const nodes: Node[] = [root];
  const open: DirectoryNode[] = [root];
  root.links = 2;
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const node of directory.names.values()) {
      if (node.links++ === 0) nodes.push(node);
      if (node.kind !== "directory") continue;
      node.links = 2;
      directory.links++;
      open.push(node);
    }
  }
  return nodes;
}

function xattrsOf(node: Node): ReadonlyMap<string, Uint8Array> | undefined {
  const { xattrs } = node.attributes;
  return node.kind === "directory" && node.opaque ? new Map([...(xattrs ?? []), OPAQUE]) : xattrs;
}

class Places {
  /** Where the next inode may begin. */
  end = FIRST_INODE;
  /** Blocks of copied data so far. */
  copied = 0;

  constructor(private readonly table: XattrTable) {}

  place(node: Node): PlacedNode {
    const attributes = xattrsOf(node);
    const xattrs = attributes === undefined ? undefined : this.table.body(attributes);
    const head = INODE + (xattrs?.length ?? 0);
    if (node.kind === "directory") return this.#directory(node, xattrs, head);
    if (node.kind === "symlink") return this.#symlink(node, xattrs, head);
    if (node.kind === "file" && node.segments !== undefined && node.size > 0) return this.#chunks(node, xattrs, head);
    node.at = this.#take(head);
    return { shape: "bare", node, xattrs };
  }

  /** An inode's own bytes stay in one block. */
  #take(length: number): number {
    const within = this.end % BLOCK;
    const at = within + INODE > BLOCK ? alignUp(this.end, BLOCK) : this.end;
    this.end = alignUp(at + length, 32);
    return at;
  }

  /** The last part goes behind the inode where it fits into the block that the attributes end in, or would at a block's beginning. */
  #directory(node: DirectoryNode, xattrs: Buffer | undefined, head: number): PlacedNode {
    const dirents = direntsOf(node);
    const tail = dirents.size % BLOCK;
    const inline = tail > 0 && (head % BLOCK) + tail <= BLOCK ? tail : 0;
    if (inline > 0 && (this.end + head) % BLOCK > BLOCK - inline) this.end = alignUp(this.end, BLOCK);
    node.at = this.#take(head + inline);
    const block = this.#blocks(blocksOf(dirents.size - inline));
    return { shape: "directory", node, xattrs, size: dirents.size, dirents, inline, block };
  }

  /** The kernel wants a short link's inode, attributes and text in one block. */
  #symlink(node: SymlinkNode, xattrs: Buffer | undefined, head: number): PlacedNode {
    const size = Buffer.byteLength(node.target);
    const inline = head + size <= BLOCK ? size : 0;
    if (inline > 0 && (this.end % BLOCK) + head + inline > BLOCK) this.end = alignUp(this.end, BLOCK);
    node.at = this.#take(head + inline);
    const block = this.#blocks(blocksOf(size - inline));
    return { shape: "symlink", node, xattrs, size, dirents: undefined, inline, block };
  }

  #chunks(node: FileNode, xattrs: Buffer | undefined, head: number): PlacedNode {
    const plan = planChunks(node);
    if (plan === undefined) throw unrepresentable(node);
    node.at = this.#take(alignUp(head, CHUNK_INDEX) + plan.count * CHUNK_INDEX);
    const copyBlock = this.copied;
    this.copied += (plan.copied?.length ?? 0) * 2 ** plan.bits;
    return { shape: "chunks", node, xattrs, plan, listAt: node.at + alignUp(head, CHUNK_INDEX), copyBlock };
  }

  #blocks(count: number): number {
    if (count === 0) return 0;
    const at = alignUp(this.end, BLOCK);
    this.end = at + count * BLOCK;
    return at / BLOCK;
  }
}

/** Fails a layer that can be unpacked, but not indexed; whoever asked for an index knows it by its code. */
function unrepresentable({ size, start }: FileNode): GalleyError {
  const message = `a sparse file of ${size} bytes has its data at places that an index has no form for`;
  return new GalleyError("unimplemented", `${message} (at byte ${start} of the tar)`, { op: "index" });
}
