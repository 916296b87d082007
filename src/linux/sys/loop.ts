/** Loop devices: files as block devices (loop(4), linux/loop.h). */
import { closeSync, openSync } from "node:fs";
import { syscall } from "./call.ts";
import { addressOf } from "./libc.ts";

const IOCTL = process.arch === "arm64" ? 29 : 16;
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const READ_ONLY = 1;
const AUTOCLEAR = 4;
/** Bytes of `struct loop_config`, and where the flags are in the `loop_info64` that begins at its eighth. */
const CONFIG = 304;
const FLAGS_AT = 8 + 52;

/** Number of a device that is free now; another process may take it first. */
export function freeLoop(): number {
  const control = openSync("/dev/loop-control", "r+");
  try {
    return syscall("ioctl LOOP_CTL_GET_FREE", IOCTL, control, LOOP_CTL_GET_FREE);
  } finally {
    closeSync(control);
  }
}

/**
 * Makes a file the content of a free device, for reading alone, until the last who has the device open closes it. EBUSY where it is
 * not free any more. Needs Linux 5.8. @param blockSize bytes
 */
export function configureLoop(device: number, file: number, blockSize: number): void {
  const config = Buffer.alloc(CONFIG);
  config.writeUInt32LE(file, 0);
  config.writeUInt32LE(blockSize, 4);
  config.writeUInt32LE(READ_ONLY | AUTOCLEAR, FLAGS_AT);
  syscall("ioctl LOOP_CONFIGURE", IOCTL, device, LOOP_CONFIGURE, addressOf(config));
}
