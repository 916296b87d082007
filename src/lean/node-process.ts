/** The part of node:process that the OCI runtime uses; the build knows the machine. */
export const arch = process.arch;
