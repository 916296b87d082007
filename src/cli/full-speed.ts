import { ordinaryPages } from "../linux/sys/ordinary-pages.ts";

/**
 * The executable begins as one that runs once: with a patient compiler (scripts/build.ts), as most of a command is not worth compiling, and with
 * memory in huge pages (scripts/huge-pages.ts). Work that goes on for long asks for the usual compiler, and for no more memory than it needs.
 */
export function fullSpeed(): void {
  Bun.unsafe.setJITPolicy(1);
  ordinaryPages();
}
