import type { WalkEntry } from "../../../linux/fs-at/fs-at.ts";
import { close, O } from "../../../linux/sys/sys.ts";
import type { Found, LayerFile, LayerStack, MergedDirectory } from "./layer-stack.ts";

/** A directory being walked, and the names in it that are left, backwards. */
interface Frame {
  readonly directory: MergedDirectory;
  readonly names: string[];
}

/** A single entry for anything but a directory, as {@link walkStack} gives them. */
export function* entryOf(stack: LayerStack, file: LayerFile): Generator<WalkEntry, void, undefined> {
  const slash = file.path.lastIndexOf("/");
  const dirfd = stack.open(file.layer, file.path.slice(0, Math.max(slash, 0)), O.RDONLY | O.DIRECTORY);
  try {
    yield { kind: "other", path: "", name: file.path.slice(slash + 1), dirfd, status: file.status };
  } finally {
    close(dirfd);
  }
}

/** All of a merged directory; entries as `walk` of a root gives them, each with a descriptor of the layer's directory it is in. */
export function* walkStack(stack: LayerStack, start: MergedDirectory): Generator<WalkEntry, void, undefined> {
  using parents = new Parents(stack);
  const frames: Frame[] = [frameOf(stack, start)];
  yield parents.entry("enter", start, start);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const name = frame.names.pop();
    if (name === undefined) {
      frames.pop();
      yield parents.entry("leave", frame.directory, start);
      continue;
    }
    const found = stack.find(frame.directory, name);
    if (found === undefined) continue;
    yield parents.entry(found.kind === "directory" ? "enter" : "other", found, start);
    if (found.kind === "directory") frames.push(frameOf(stack, found));
  }
}

function frameOf(stack: LayerStack, directory: MergedDirectory): Frame {
  return { directory, names: [...stack.names(directory)].reverse() };
}

/** The directory that holds the entry at hand, open in the entry's layer; kept from one entry to the next. */
class Parents implements Disposable {
  #fd = -1;
  #layer = -1;
  #path: string | undefined;

  constructor(private readonly stack: LayerStack) {}

  entry(kind: WalkEntry["kind"], found: Found, start: MergedDirectory): WalkEntry {
    const layer = found.kind === "directory" ? (found.layers[0] ?? 0) : found.layer;
    const { status } = found;
    if (found.path === start.path) return { kind, path: "", name: ".", dirfd: this.#open(layer, found.path), status };
    const slash = found.path.lastIndexOf("/");
    const name = found.path.slice(slash + 1);
    const path = start.path === "" ? found.path : found.path.slice(start.path.length + 1);
    return { kind, path, name, dirfd: this.#open(layer, found.path.slice(0, Math.max(slash, 0))), status };
  }

  #open(layer: number, path: string): number {
    if (layer === this.#layer && path === this.#path) return this.#fd;
    const fd = this.stack.open(layer, path, O.RDONLY | O.DIRECTORY);
    if (this.#path !== undefined) close(this.#fd);
    this.#fd = fd;
    this.#layer = layer;
    this.#path = path;
    return fd;
  }

  [Symbol.dispose](): void {
    if (this.#path !== undefined) close(this.#fd);
    this.#path = undefined;
  }
}
