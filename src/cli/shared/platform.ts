const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  ia32: "386",
  riscv64: "riscv64",
};

/** This machine's architecture as images name it. */
export function architecture(): string {
  return architectures[process.arch] ?? process.arch;
}
