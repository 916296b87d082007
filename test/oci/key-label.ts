/** A program that says the number of its session keyring, what it is called and, where there is SELinux, how it is labelled: in C, without libraries. */
import { join } from "node:path";

const source = `
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#define SESSION (-3L)
#define GET_ID 0L
#define DESCRIBE 6L
#define GET_SECURITY 17L
int main(void) {
  char text[512] = "", label[512] = "";
  if (syscall(SYS_keyctl, DESCRIBE, SESSION, text, sizeof text - 1) < 0) return 1;
  syscall(SYS_keyctl, GET_SECURITY, SESSION, label, sizeof label - 1);
  printf("%ld %s %s\\n", syscall(SYS_keyctl, GET_ID, SESSION, 0L), strrchr(text, ';') + 1, label);
  return 0;
}
`;

/** Compiles it to `/bin/key_label` of a root file system. */
export function makeKeyLabel(rootfs: string): void {
  const output = join(rootfs, "bin/key_label");
  const { exitCode, stderr } = Bun.spawnSync(["gcc", "-static", "-O", "-x", "c", "-o", output, "-"], {
    stdin: Buffer.from(source),
  });
  if (exitCode !== 0) throw new Error(`gcc: ${stderr}`);
}
