/** Whose a public key is. */
export interface KeyOwner {
  readonly fingerprint: string;
  /** Mostly `NAME <ADDRESS>`. */
  readonly users: readonly string[];
  /** Neither expired nor revoked, nor unfit in another way. */
  readonly isValid: boolean;
}

/** Reads gpg's list with colons (its doc/DETAILS): `pub` with the validity, its `fpr`, and its `uid`s, in which colons are escaped. */
export function ownersOf(list: Uint8Array): readonly KeyOwner[] {
  const rows = Buffer.from(list)
    .toString("utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const starts = rows.flatMap(([kind], position) => (kind === "pub" ? [position] : []));
  return starts.map((start, number) => {
    const own = rows.slice(start, starts[number + 1]);
    const users = own.filter(([kind]) => kind === "uid").map((row) => (row[9] ?? "").replaceAll("\\x3a", ":"));
    const fingerprint = own.find(([kind]) => kind === "fpr")?.[9] ?? "";
    return { fingerprint, users, isValid: !/^[reidn]/.test(own[0]?.[1] ?? "") };
  });
}
