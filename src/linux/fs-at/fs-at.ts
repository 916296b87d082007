/**
 * The one path library: everything that touches a tree somebody else may have made, a layer, a volume, a container's root, does so
 * below a {@link Root}, on descriptors. See ../sys/ for the calls it is made of.
 */
export { copyInode, copyMetadata, type Place } from "./copy-inode.ts";
export { type CopyOptions, copyEntries, copyTree, linkKey } from "./copy-tree.ts";
export { Cursor } from "./cursor.ts";
export { type MakeDirectoryOptions, makeDirectories } from "./make-directories.ts";
export { type SplitPath, splitPath, withParent } from "./paths.ts";
export { removeAt, removeTree } from "./remove-tree.ts";
export { Root, type WriteOptions } from "./root.ts";
export { type WalkEntry, walk } from "./walk.ts";
