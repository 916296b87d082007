/** The part of node:os that the OCI runtime uses. */
export function tmpdir(): string {
  return process.env.TMPDIR || "/tmp";
}
