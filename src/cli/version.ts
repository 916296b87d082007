/** The version in package.json; a test holds them together. Kept here so that `--version` reads no file. */
export const version = "0.1.0";
