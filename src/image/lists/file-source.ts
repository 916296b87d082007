import { GalleyError } from "../../errors.ts";
import type { Descriptor, ImageManifest } from "../../spec/image.ts";
import { digestOf } from "../digest.ts";
import type { Document, Source } from "../transports/place.ts";
import type { BlobOptions } from "../transports/transport.ts";
import { type FileArtifact, fileContent } from "./file-artifact.ts";

/** An artifact of a list as a place to copy from: the files are read where they are, and must be what they were. */
export class FileSource implements Source {
  constructor(
    readonly name: string,
    private readonly artifact: FileArtifact,
  ) {}

  async document(): Promise<Document> {
    const bytes = Buffer.from(this.artifact.manifest);
    const { mediaType = "" } = this.#manifest();
    return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
  }

  async *blob({ digest }: Descriptor, { offset = 0 }: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const { config } = this.#manifest();
    const file = this.artifact.files.find((one) => one.digest === digest);
    if (digest === config.digest) yield Buffer.from(config.data ?? "", "base64").subarray(offset);
    else if (file !== undefined) yield* fileContent(file.path, offset);
    else throw new GalleyError("not_found", "the artifact has no such content", { op: "read", subject: digest });
  }

  #manifest(): ImageManifest {
    return JSON.parse(this.artifact.manifest) as ImageManifest;
  }

  async close(): Promise<void> {}
}
