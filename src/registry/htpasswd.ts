import { readFileSync, statSync } from "node:fs";
import { GalleyError, toGalleyError } from "../errors.ts";

/** Hashes of one user's password that are accepted: bcrypt's, in any of its spellings. */
const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** Compared with where there is no such user, so that the time of an answer does not tell who there is. */
const NOBODY = "$2b$10$CwTycUXWue0Thq9StjUM0uJ8Z8y5g5T8FQz2Sx1y1J0e2p1oG0bxe";

/**
 * Names and passwords of an htpasswd file (htpasswd(1) -B). The file is read again when it changes. bcrypt is slow by intention and clients
 * say who they are with every request, so what was found right is remembered, as a hash, until the file changes.
 */
export class Htpasswd {
  #users: ReadonlyMap<string, string> = new Map();
  #accepted = new Set<string>();
  #version = "";

  /** Reads the file; what is not bcrypt is `invalid_argument`. */
  constructor(private readonly path: string) {
    this.#refresh();
  }

  /** Whether an `Authorization` header is that of a user; `unavailable` while the file cannot be read: it may be half written. */
  async accepts(header: string | null): Promise<boolean> {
    this.#refreshAgain();
    const match = /^Basic\s+(\S+)$/i.exec(header ?? "");
    if (match === null) return false;
    const key = new Bun.CryptoHasher("sha256").update(match[1] ?? "").digest("base64");
    if (this.#accepted.has(key)) return true;
    const accepted = this.#accepted;
    const text = Buffer.from(match[1] ?? "", "base64").toString("utf8");
    if (!(await this.#verify(text))) return false;
    accepted.add(key);
    return true;
  }

  async #verify(text: string): Promise<boolean> {
    const colon = text.indexOf(":");
    const hash = this.#users.get(text.slice(0, Math.max(colon, 0)));
    const same = await Bun.password.verify(text.slice(colon + 1), hash ?? NOBODY).catch(() => false);
    return same && hash !== undefined && colon > 0;
  }

  #refreshAgain(): void {
    try {
      this.#refresh();
    } catch (cause) {
      const details = { op: "read passwords", subject: this.path, cause };
      throw new GalleyError("unavailable", "the registry cannot tell who its users are", details);
    }
  }

  #refresh(): void {
    const found = statSync(this.path, { throwIfNoEntry: false });
    const version = `${found?.ino} ${found?.mtimeMs} ${found?.size}`;
    if (version === this.#version || (found === undefined && this.#version !== "")) return;
    this.#users = parse(readText(this.path), this.path);
    this.#accepted = new Set();
    this.#version = version;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (failure) {
    throw toGalleyError(failure, { op: "read passwords", subject: path });
  }
}

function parse(text: string, path: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => user(line.trim(), path)));
}

function user(line: string, path: string): readonly [string, string] {
  const colon = line.indexOf(":");
  const hash = line.slice(colon + 1);
  if (colon > 0 && BCRYPT.test(hash)) return [line.slice(0, colon), hash.replace("$2y$", "$2b$")];
  throw new GalleyError("invalid_argument", "it has a line that is no user with a bcrypt hash", {
    op: "read passwords",
    subject: path,
    hint: "htpasswd -B makes such lines",
  });
}
