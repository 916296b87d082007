/** Certificate authorities of a test's own, by openssl: certificates of any time, extensions and parent. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openssl } from "./openssl.ts";

/** A certificate and its key, as PEM. */
export interface Issued {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to be. */
export interface Wish {
  /** Common name of the subject. */
  readonly name: string;
  /** Whose signature it gets; its own where it is left out. */
  readonly by?: Issued;
  /** `YYYYMMDDHHMMSSZ` */
  readonly from?: string;
  readonly to?: string;
  /** Lines of openssl's x509v3_config(5). */
  readonly extensions?: readonly string[];
  /** openssl's words for a new key. */
  readonly key?: readonly string[];
  /** A key that is there already. */
  readonly keyOf?: Issued;
  readonly hash?: string;
}

/** Issues certificates into a directory. */
export class Authority {
  #count = 0;

  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  /** A new certificate; throws openssl's words where it does not like the wish. */
  issue({ name, by, from = "20200101000000Z", to = "20990101000000Z", extensions = [], ...more }: Wish): Issued {
    const at = join(this.directory, String(++this.#count));
    mkdirSync(at);
    const own =
      more.keyOf?.key ?? this.#key(at, more.key ?? ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    writeFileSync(join(at, "key.pem"), own);
    openssl("req", "-new", "-key", join(at, "key.pem"), "-subj", `/CN=${name}`, "-out", join(at, "request.pem"));
    writeFileSync(join(at, "parent.key"), by?.key ?? own);
    if (by !== undefined) writeFileSync(join(at, "parent.pem"), by.certificate);
    writeFileSync(join(at, "index.txt"), "");
    writeFileSync(join(at, "ca.cnf"), configuration(at, more.hash ?? "sha256", extensions));
    const signer = by === undefined ? ["-selfsign"] : ["-cert", join(at, "parent.pem")];
    const time = ["-startdate", from, "-enddate", to];
    const files = ["-keyfile", join(at, "parent.key"), "-in", join(at, "request.pem"), "-out", join(at, "own.pem")];
    openssl("ca", "-batch", "-notext", "-config", join(at, "ca.cnf"), ...signer, ...files, ...time);
    return { name, key: own, certificate: readFileSync(join(at, "own.pem"), "utf8") };
  }

  #key(at: string, words: readonly string[]): string {
    openssl("genpkey", ...words, "-out", join(at, "new.pem"));
    return readFileSync(join(at, "new.pem"), "utf8");
  }
}

function configuration(at: string, hash: string, extensions: readonly string[]): string {
  return [
    "[ca]\ndefault_ca = own",
    `[own]\ndatabase = ${at}/index.txt\nnew_certs_dir = ${at}\nrand_serial = yes\ndefault_md = ${hash}\npolicy = any`,
    `unique_subject = no\nemail_in_dn = no\n${extensions.length === 0 ? "" : "x509_extensions = more"}`,
    "[any]\ncommonName = supplied",
    "[names]\nCN = names",
    `[more]\n${extensions.join("\n")}\n`,
  ].join("\n");
}
