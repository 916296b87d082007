import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { aboutSubject, GalleyError } from "../../../errors.ts";
import type { Descriptor } from "../../../spec/image.ts";
import { gathered } from "../../content/gathered.ts";
import { writeTar } from "../../layers/tar/write-tar.ts";
import type { ArchiveOptions } from "../files/archive-files.ts";
import { readRange, writeAll } from "../files/raw-file.ts";
import { scratchFile } from "../files/scratch-file.ts";
import type { Document, Source } from "../place.ts";
import type { BlobOptions, TransportOptions } from "../transport.ts";
import { readSif, type SifFile } from "./sif-file.ts";
import { layerMembers, runScript, type SifImage, sifImage } from "./sif-image.ts";

/** An image, and its layer in a file without a name. */
interface Made {
  readonly image: SifImage;
  readonly layer: { readonly fd: number; readonly digest: string; readonly size: number };
}

/**
 * An image in the Singularity Image Format, which becomes one of a single layer, as containers/image has it (containers-transports(5), sif:).
 * The layer is made when the image is first asked for, in a temporary file: its digest is known only then. The same file gives the same image.
 */
export class SifSource implements Source {
  #made: Promise<Made> | undefined;

  private constructor(
    readonly name: string,
    private readonly path: string,
    private readonly fd: number,
    private readonly file: SifFile,
    private readonly options: ArchiveOptions,
  ) {}

  /** Opens a file, whose header is checked. */
  static open(path: string, options: ArchiveOptions = {}): SifSource {
    let fd: number | undefined;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const status = fstatSync(fd);
      if (!status.isFile()) throw new GalleyError("invalid_argument", "it is not a regular file");
      return new SifSource(`sif:${path}`, path, fd, readSif(fd, status.size), options);
    } catch (failure) {
      if (fd !== undefined) closeSync(fd);
      throw aboutSubject(failure, "load SIF file", path);
    }
  }

  async document(descriptor?: Descriptor, options: TransportOptions = {}): Promise<Document> {
    const { image } = await this.#make(options);
    if (descriptor === undefined || descriptor.digest === image.descriptor.digest)
      return { descriptor: image.descriptor, bytes: image.manifest };
    throw this.#nothing(descriptor.digest);
  }

  async *blob(descriptor: Descriptor, { offset = 0, signal }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const { image, layer } = await this.#make(signal === undefined ? {} : { signal });
    if (descriptor.digest === image.configDigest) {
      yield image.config.subarray(offset);
      return;
    }
    if (descriptor.digest !== layer.digest) throw this.#nothing(descriptor.digest);
    for await (const chunk of readRange(layer.fd, offset, layer.size)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  }

  async close(): Promise<void> {
    closeSync(this.fd);
    const made = await this.#made?.catch(() => undefined); // Whoever asked for it was told.
    if (made !== undefined) closeSync(made.layer.fd);
  }

  #make({ signal = this.options.signal }: TransportOptions): Promise<Made> {
    this.#made ??= this.#convert(signal);
    return this.#made;
  }

  async #convert(signal: AbortSignal | undefined): Promise<Made> {
    const fd = scratchFile(this.options.scratch ?? tmpdir(), "galley-sif");
    try {
      const script = runScript(this.file);
      const hasher = new Bun.CryptoHasher("sha256");
      let size = 0;
      for await (const chunk of gathered(writeTar(layerMembers(this.file, script)))) {
        signal?.throwIfAborted();
        hasher.update(chunk);
        await writeAll(fd, chunk, size);
        size += chunk.length;
      }
      const layer = { fd, digest: `sha256:${hasher.digest("hex")}`, size };
      return { image: sifImage(this.file, script, layer), layer };
    } catch (failure) {
      closeSync(fd);
      throw aboutSubject(failure, "convert SIF file", this.path);
    }
  }

  #nothing(digest: string): GalleyError {
    return new GalleyError("not_found", "it does not hold this content", {
      op: "read",
      subject: `${digest} in ${this.name}`,
    });
  }
}
