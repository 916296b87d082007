import type { FileChange } from "../../engine/types.ts";
import { UsageError } from "../usage-error.ts";

const letters: Readonly<Record<FileChange["kind"], string>> = { changed: "C", added: "A", removed: "D" };

/** Changes of files, one a line as docker has them, or with the format `json` as podman's document. */
export function changesText(changes: readonly FileChange[], format = ""): string {
  if (format === "") return changes.map(({ kind, path }) => `${letters[kind]} ${path}\n`).join("");
  if (format !== "json") throw new UsageError("only supported value for '--format' is 'json'", 125, true);
  const kinds = ["changed", "added", "removed"] as const;
  const lists = kinds.map(
    (kind) => [kind, changes.filter((one) => one.kind === kind).map(({ path }) => path)] as const,
  );
  const filled = lists.filter(([, paths]) => paths.length > 0);
  return `${JSON.stringify(Object.fromEntries(filled), null, 5)}\n`;
}
