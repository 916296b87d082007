/**
 * The executable begins with a patient compiler (scripts/build.ts): what runs once, as most of a command does, is not worth compiling.
 * Work that goes on for long asks for the usual one.
 */
export function fullSpeed(): void {
  Bun.unsafe.setJITPolicy(1);
}
