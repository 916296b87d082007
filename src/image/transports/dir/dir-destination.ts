import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { GalleyError, toGalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { encodeSignature } from "../../trust/signature.ts";
import { DirectorySink } from "../files/file-sink.ts";
import type { Destination, Document, NewBlob, Reuse, SignatureKeeper, Source, Traits } from "../place.ts";
import type { TransportOptions } from "../transport.ts";
import { dirName, signaturePath, VERSION } from "./dir-source.ts";

/** An image that is written as plain files in one directory. A directory that holds anything else is left alone. */
export class DirDestination implements Destination {
  readonly traits: Traits;
  readonly #sink: DirectorySink;
  /** The uppermost directory that was made for the image. */
  #made: string | undefined;
  #begun = false;

  constructor(
    readonly name: string,
    private readonly directory: string,
    layers: Traits["layers"] = "any",
  ) {
    this.traits = { lists: true, layers };
    this.#sink = new DirectorySink(directory);
  }

  /** Makes the directory, or empties the one of an earlier image. */
  async prepare(): Promise<void> {
    try {
      this.#made = mkdirSync(this.directory, { recursive: true });
      const names = readdirSync(this.directory);
      if (names.length > 0 && !this.#isImage()) throw notOurs(this.name);
      for (const name of names) rmSync(join(this.directory, name), { recursive: true });
    } catch (failure) {
      throw toGalleyError(failure, { op: "write", subject: this.name });
    }
    this.#begun = true;
    await this.#sink.put("version", Buffer.from(VERSION));
  }

  #isImage(): boolean {
    try {
      return readFileSync(join(this.directory, "version"), "latin1").startsWith("Directory Transport Version: ");
    } catch {
      return false;
    }
  }

  async reuse(_blob: Descriptor, _source: Source): Promise<Reuse> {
    return "absent";
  }

  writeBlob(blob: NewBlob, options?: TransportOptions) {
    return this.#sink.writeBlob(blob, dirName, options);
  }

  writeDocument({ bytes, descriptor }: Document, role: "root" | "part"): Promise<void> {
    return this.#sink.put(role === "root" ? "manifest.json" : `${dirName(descriptor.digest)}.manifest.json`, bytes);
  }

  readonly signatures: SignatureKeeper = {
    check: async () => undefined,
    write: async (signatures, { descriptor }, role) => {
      for (const [at, signature] of signatures.entries())
        await this.#sink.put(signaturePath(descriptor.digest, role, at + 1), Buffer.from(encodeSignature(signature)));
    },
  };

  async commit(): Promise<void> {
    await this.#sink.finish();
    this.#begun = false;
  }

  /** Of an image that did not come whole nothing stays. */
  async close(): Promise<void> {
    await this.#sink.close();
    if (!this.#begun) return;
    for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { recursive: true });
    if (this.#made !== undefined) removeEmpty(this.directory, this.#made);
  }
}

/** Removes a directory, and those above it up to another, unless somebody has put something there. */
function removeEmpty(directory: string, last: string): void {
  try {
    for (let path = directory; path.startsWith(last); path = dirname(path)) rmdirSync(path);
  } catch {
    // It is not ours alone any more.
  }
}

function notOurs(name: string): GalleyError {
  return new GalleyError("failed_precondition", "the directory holds other things than an image", {
    op: "write",
    subject: name,
    hint: "name another one, or empty it",
  });
}
