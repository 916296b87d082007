/**
 * System calls from TypeScript. Nothing is loaded before the first call. Failures are {@link SystemError}s; paths are text as
 * {@link decodeName} makes it; structures are the 64-bit ones of x86_64 and arm64.
 */
export * from "./attributes.ts";
export { syscall } from "./call.ts";
export * from "./data.ts";
export * from "./detached-overlay.ts";
export * from "./directory.ts";
export * from "./file-system.ts";
export * from "./flags.ts";
export * from "./lock.ts";
export * from "./loop.ts";
export { executableInMemory } from "./memfd.ts";
export * from "./mount.ts";
export * from "./names.ts";
export * from "./open.ts";
export * from "./process.ts";
export * from "./read-only-overlay.ts";
export * from "./socket.ts";
export * from "./stat.ts";
export { isErrno, SystemError } from "./system-error.ts";
export { decodeName, encodeName } from "./text.ts";
export * from "./xattr.ts";
