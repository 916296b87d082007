import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GalleyError } from "../../errors.ts";
import { nameOfPlace } from "../../image/transports/open-place.ts";
import { type PlaceName, parsePlace } from "../../image/transports/place-name.ts";
import type { Signer } from "../../image/trust/signature.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { copyDisplay } from "../places/copy-display.ts";
import { copyOne } from "../places/copy-one.ts";
import { copyOptions } from "../places/copy-options.ts";
import { commonFlags, copyFlags, Flags, registryFlags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { directoryImages, fileImages, registryImages, type SyncImage } from "../places/sync-sources.ts";
import { signersOf, trustOf } from "../places/trust.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { reportOne } from "../report.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] --src TRANSPORT --dest TRANSPORT SOURCE DESTINATION",
  summary: "Synchronize images between registries and directories",
  flags: {
    ...commonFlags(),
    ...copyFlags(),
    ...registryFlags("src-"),
    ...registryFlags("dest-"),
    src: string({ short: "s", usage: "SOURCE transport type: docker, dir, yaml" }),
    dest: string({ short: "d", usage: "DESTINATION transport type: docker, dir" }),
    scoped: bool({ usage: "Images at DESTINATION are prefixed with the full source image path as scope" }),
    "append-suffix": string({ usage: "String to append to DESTINATION tags" }),
    "dry-run": bool({ usage: "Run without actually copying data" }),
    "keep-going": bool({ usage: "Do not abort the sync if any image copy fails" }),
  },
  args: { least: 2, most: 2 },
  async run({ cli, flags: values, args: [source = "", destination = ""], changed }) {
    const flags = new Flags(values, changed);
    checkTransports(flags);
    return untilInterrupted(
      (signal) => new Sync(cli, flags, destination, signal).run(source),
      flags.number("command-timeout"),
    );
  },
});

function checkTransports(flags: Flags): void {
  const refuse = (message: string) => new UsageError(message, 1, true);
  const [src, dest] = [flags.text("src"), flags.text("dest")];
  if (src === undefined) throw refuse("A source transport must be specified");
  if (!["docker", "dir", "yaml"].includes(src)) throw refuse(`${JSON.stringify(src)} is not a valid source transport`);
  if (dest === undefined) throw refuse("A destination transport must be specified");
  if (!["docker", "dir"].includes(dest)) throw refuse(`${JSON.stringify(dest)} is not a valid destination transport`);
  if (src === "dir" && dest === "dir")
    throw refuse('sync from "dir" to "dir" not implemented, consider using rsync instead');
}

class Sync {
  #failed = 0;
  #keys: Promise<readonly Signer[]> | undefined;

  constructor(
    private readonly cli: Cli,
    private readonly flags: Flags,
    private readonly destination: string,
    private readonly signal: AbortSignal,
  ) {}

  async run(source: string): Promise<number> {
    const { cli, flags } = this;
    const images = await this.#images(source);
    const digestfile = flags.text("digestfile");
    if (digestfile !== undefined) writeFileSync(digestfile, "");
    let synced = 0;
    for (const image of images) {
      try {
        const to = this.#target(image);
        const digest = await this.#copy(image, to);
        if (digestfile !== undefined && digest !== undefined)
          appendFileSync(digestfile, `${digest} ${nameOfPlace(to)}\n`);
        synced++;
      } catch (failure) {
        if (!flags.truth("keep-going") || this.signal.aborted) throw failure;
        reportOne(cli, failure);
        this.#failed++;
      }
    }
    cli.err(
      `${flags.truth("dry-run") ? "Would have synced" : "Synced"} ${synced} images from ${images.length} sources\n`,
    );
    if (this.#failed === 0) return 0;
    throw new GalleyError("unknown", "Sync failed due to previous reported error(s) for one or more images", {
      op: "sync",
    });
  }

  /** Made once: a passphrase is asked for once. */
  #signers(): Promise<readonly Signer[]> {
    this.#keys ??= signersOf(this.cli, this.flags);
    return this.#keys;
  }

  #images(source: string): Promise<readonly SyncImage[]> | readonly SyncImage[] {
    const options = placeOptions(this.cli, this.flags, "src-", this.signal);
    const complain = (failure: unknown) => {
      this.#failed++;
      reportOne(this.cli, failure);
    };
    if (this.flags.text("src") === "dir") return directoryImages(source, options);
    return this.flags.text("src") === "yaml" ? fileImages(source, options, complain) : registryImages(source, options);
  }

  #target({ scoped, short }: SyncImage): PlaceName {
    const { flags, destination } = this;
    const name = (flags.truth("scoped") ? scoped : short) + (flags.text("append-suffix") ?? "");
    if (flags.text("dest") === "docker") {
      return parsePlace(`docker://${join(destination, name).replace(/@sha\d+:.*$/, "")}`);
    }
    const path = join(destination, name);
    if (existsSync(path)) {
      const message = `Refusing to overwrite destination directory ${JSON.stringify(path)}`;
      throw new GalleyError("already_exists", message, { op: "sync" });
    }
    return { transport: "dir", path };
  }

  async #copy({ from, options }: SyncImage, to: PlaceName): Promise<string | undefined> {
    const { cli, flags, signal } = this;
    if (flags.truth("dry-run")) {
      cli.err(`Would have copied image ${fromTo(from, to)}\n`);
      return undefined;
    }
    cli.err(`Copying image ${fromTo(from, to)}\n`);
    const display = await copyDisplay(cli);
    try {
      const { digest } = await copyOne({
        ...{ from, to, source: options, destination: placeOptions(cli, flags, "dest-", signal) },
        trust: await trustOf(cli, flags),
        options: {
          ...(await copyOptions(flags)),
          signers: await this.#signers(),
          signal,
          onProgress: (event) => display.event(event),
        },
      });
      return digest;
    } finally {
      display.close();
    }
  }
}

/** Fields as skopeo's logger writes them: names of places always hold what it puts in quotes. */
function fromTo(from: PlaceName, to: PlaceName): string {
  return `from=${JSON.stringify(nameOfPlace(from))} to=${JSON.stringify(nameOfPlace(to))}`;
}
