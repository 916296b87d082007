/** A file system of the test's own: the kernel's FUSE protocol (linux/fuse.h, version 7) on a tree of directories and texts. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { errno } from "../../src/linux/errno.ts";
import { mount } from "../../src/linux/sys/mount.ts";

/** Calls fail by an error number, which is thrown. */
export interface FileNode {
  read(): string;
  write?(text: string): void;
}

export interface DirectoryNode {
  readonly entries: Map<string, Node>;
  make?(name: string): void;
  remove?(name: string): void;
}

export type Node = FileNode | DirectoryNode;

const operation = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  mkdir: 9,
  rmdir: 11,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  batchForget: 42,
} as const;

const IN_HEADER = 40;
const OUT_HEADER = 16;
const LARGEST_WRITE = 65536;
const DIRECT_IO = 1;

/** Mounts the tree and serves it until it is unmounted. Nothing else of this program runs meanwhile, after `ready` was called. */
export function serveTree(root: DirectoryNode, target: string, ready: () => void): void {
  const fd = openSync("/dev/fuse", "r+");
  mount("stand-in", target, "fuse", 0, `fd=${fd},rootmode=40755,user_id=0,group_id=0`);
  const tree = new Tree(root);
  const request = Buffer.alloc(LARGEST_WRITE + 4096);
  ready();
  try {
    for (;;) {
      const size = readSync(fd, request);
      const answer = answerTo(tree, request.subarray(0, size));
      if (answer !== undefined) writeSync(fd, answer);
    }
  } catch (failure) {
    if ((failure as { code?: unknown }).code !== "ENODEV") throw failure;
  } finally {
    closeSync(fd);
  }
}

function answerTo(tree: Tree, request: Buffer): Buffer | undefined {
  const code = request.readUInt32LE(4);
  const unanswered: readonly number[] = [operation.forget, operation.batchForget, operation.interrupt];
  if (unanswered.includes(code)) return undefined;
  const unique = request.readBigUInt64LE(8);
  try {
    const handler = handlers[code];
    if (handler === undefined) throw errno.ENOSYS;
    return framed(unique, 0, handler(tree, Number(request.readBigUInt64LE(16)), request.subarray(IN_HEADER)));
  } catch (failure) {
    if (typeof failure !== "number") throw failure;
    return framed(unique, -failure, Buffer.alloc(0));
  }
}

function framed(unique: bigint, error: number, body: Buffer): Buffer {
  const header = Buffer.alloc(OUT_HEADER);
  header.writeUInt32LE(OUT_HEADER + body.length, 0);
  header.writeInt32LE(error, 4);
  header.writeBigUInt64LE(unique, 8);
  return Buffer.concat([header, body]);
}

/** Numbers of nodes: the root is 1, and none is given twice. */
class Tree {
  private readonly nodes: Node[] = [];
  private readonly numbers = new Map<Node, number>();

  constructor(root: DirectoryNode) {
    this.numberOf(root);
  }

  numberOf(node: Node): number {
    const known = this.numbers.get(node) ?? this.nodes.push(node);
    this.numbers.set(node, known);
    return known;
  }

  at(number: number): Node {
    const node = this.nodes[number - 1];
    if (node === undefined) throw errno.ENOENT;
    return node;
  }

  file(number: number): FileNode {
    const node = this.at(number);
    if (isDirectory(node)) throw errno.EISDIR;
    return node;
  }

  directory(number: number): DirectoryNode {
    const node = this.at(number);
    if (!isDirectory(node)) throw errno.ENOTDIR;
    return node;
  }
}

function isDirectory(node: Node): node is DirectoryNode {
  return "entries" in node;
}

type Handler = (tree: Tree, number: number, body: Buffer) => Buffer;

const nothing = Buffer.alloc(0);

const handlers: Readonly<Record<number, Handler>> = {
  [operation.init]: () => {
    const out = Buffer.alloc(64);
    for (const [index, value] of [7, 31, LARGEST_WRITE, 0].entries()) out.writeUInt32LE(value, 4 * index);
    out.writeUInt32LE(LARGEST_WRITE, 20);
    out.writeUInt32LE(1, 24);
    return out;
  },
  [operation.lookup]: (tree, number, body) => entry(tree, child(tree, number, nameIn(body))),
  [operation.getattr]: (tree, number) => Buffer.concat([Buffer.alloc(16), attributes(tree, number)]),
  // A file that is opened to be written anew has no length that could change.
  [operation.setattr]: (tree, number) => Buffer.concat([Buffer.alloc(16), attributes(tree, number)]),
  [operation.mkdir]: (tree, number, body) => {
    const directory = tree.directory(number);
    const name = nameIn(body.subarray(8));
    if (directory.entries.has(name)) throw errno.EEXIST;
    if (directory.make === undefined) throw errno.EPERM;
    directory.make(name);
    return entry(tree, child(tree, number, name));
  },
  [operation.rmdir]: (tree, number, body) => {
    const directory = tree.directory(number);
    child(tree, number, nameIn(body));
    if (directory.remove === undefined) throw errno.EPERM;
    directory.remove(nameIn(body));
    return nothing;
  },
  [operation.open]: () => opened(DIRECT_IO),
  [operation.opendir]: () => opened(0),
  [operation.release]: () => nothing,
  [operation.releasedir]: () => nothing,
  [operation.flush]: () => nothing,
  [operation.statfs]: () => Buffer.alloc(80),
  [operation.read]: (tree, number, body) => {
    const text = Buffer.from(tree.file(number).read());
    return text.subarray(...span(body));
  },
  [operation.write]: (tree, number, body) => {
    const { write } = tree.file(number);
    if (write === undefined) throw errno.EACCES;
    const size = body.readUInt32LE(16);
    write(body.subarray(40, 40 + size).toString());
    const out = Buffer.alloc(8);
    out.writeUInt32LE(size, 0);
    return out;
  },
  [operation.readdir]: (tree, number, body) => {
    const [from] = span(body);
    const entries = [...tree.directory(number).entries].slice(from);
    return Buffer.concat(entries.map(([name, node], index) => listed(tree, name, node, from + index + 1)));
  },
};

function span(body: Buffer): [number, number] {
  const from = Number(body.readBigUInt64LE(8));
  return [from, from + body.readUInt32LE(16)];
}

function child(tree: Tree, number: number, name: string): Node {
  const node = tree.directory(number).entries.get(name);
  if (node === undefined) throw errno.ENOENT;
  return node;
}

function nameIn(body: Buffer): string {
  return body.subarray(0, body.indexOf(0)).toString();
}

function opened(flags: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt32LE(flags, 8);
  return out;
}

/** Nothing is valid for longer than the answer: the kernel asks again each time. */
function entry(tree: Tree, node: Node): Buffer {
  const number = tree.numberOf(node);
  const out = Buffer.alloc(40);
  out.writeBigUInt64LE(BigInt(number), 0);
  return Buffer.concat([out, attributes(tree, number)]);
}

function attributes(tree: Tree, number: number): Buffer {
  const out = Buffer.alloc(88);
  const directory = isDirectory(tree.at(number));
  out.writeBigUInt64LE(BigInt(number), 0);
  out.writeUInt32LE(directory ? 0o40755 : 0o100644, 60);
  out.writeUInt32LE(directory ? 2 : 1, 64);
  out.writeUInt32LE(4096, 80);
  return out;
}

function listed(tree: Tree, name: string, node: Node, next: number): Buffer {
  const text = Buffer.from(name);
  const out = Buffer.alloc(24 + Math.ceil(text.length / 8) * 8);
  out.writeBigUInt64LE(BigInt(tree.numberOf(node)), 0);
  out.writeBigUInt64LE(BigInt(next), 8);
  out.writeUInt32LE(text.length, 16);
  out.writeUInt32LE(isDirectory(node) ? 4 : 8, 20);
  text.copy(out, 24);
  return out;
}
