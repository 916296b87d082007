import type { Descriptor } from "../../../spec/image.ts";
import type { FileSink } from "../files/file-sink.ts";
import type { Destination, Traits } from "../place.ts";
import { LayoutDestination } from "./layout-destination.ts";
import { REF_NAME } from "./layout-source.ts";

/** A layout that is made anew of several images, one after the other, what they share once. */
export class LayoutWriter {
  readonly #entries: Descriptor[] = [];

  constructor(
    private readonly name: string,
    private readonly sink: FileSink,
    private readonly layers: Traits["layers"],
  ) {}

  /** A place for the next image, with an entry for each of its names; without any it has one without a name. */
  image(names: readonly string[]): Destination {
    const { name, sink, layers } = this;
    return new NextImage({ name, sink, layers }, (root) => {
      if (names.length === 0) this.#entries.push(root);
      for (const one of names) this.#entries.push({ ...root, annotations: { ...root.annotations, [REF_NAME]: one } });
    });
  }

  async finish(): Promise<void> {
    const { name, sink, layers } = this;
    await new LayoutDestination({ name, sink, layers, entries: this.#entries }).commit();
  }

  close(): Promise<void> {
    return this.sink.close();
  }
}

/** Its sink lives on when it is done. */
class NextImage extends LayoutDestination {
  constructor(
    parts: { readonly name: string; readonly sink: FileSink; readonly layers: Traits["layers"] },
    private readonly keep: (root: Descriptor) => void,
  ) {
    super(parts);
  }

  override async commit(): Promise<void> {
    if (this.root !== undefined) this.keep(this.root);
  }

  override async close(): Promise<void> {}
}
