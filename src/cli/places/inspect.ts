import { GalleyError, toGalleyError } from "../../errors.ts";
import { chooseImage } from "../../image/copy/choose-image.ts";
import { type DigestAlgorithm, digestOf } from "../../image/digest.ts";
import { MAX_DEPTH } from "../../image/pull/fetch-documents.ts";
import { isImage, parseDocument } from "../../image/pull/manifests.ts";
import { repositoryOf } from "../../image/reference.ts";
import { openSource, type PlaceOptions } from "../../image/transports/open-place.ts";
import type { Document, Source } from "../../image/transports/place.ts";
import { type PlaceName, parsePlace } from "../../image/transports/place-name.ts";
import { readConfig } from "../../image/transports/read-config.ts";
import type { ImageConfig, ImageManifest, Platform } from "../../spec/image.ts";
import type { Cli } from "../cli.ts";
import { inspectRenderer } from "../format/inspect-render.ts";
import { reportOne } from "../report.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";
import { goDocument } from "./go-document.ts";
import { isNoImage, NO_IMAGE } from "./no-image.ts";
import { placeOptions, wantedPlatform } from "./options.ts";
import { attachments } from "./referrers.ts";
import { untilInterrupted } from "./until-interrupted.ts";

/** The image of one platform, read. */
interface Read {
  /** What the name leads to: a list or the manifest. */
  readonly root: Document;
  readonly manifest: ImageManifest;
  readonly config: Uint8Array;
}

/** skopeo's inspect: what a place holds, as one document. */
export async function inspectPlace(cli: Cli, text: string, flags: Flags): Promise<number> {
  if (flags.truth("raw") && flags.text("format") !== undefined) {
    throw new UsageError("raw output does not support format option", 1, true);
  }
  try {
    await untilInterrupted(async (signal) => {
      const place = parsePlace(text);
      const options = placeOptions(cli, flags, "", signal);
      const source = await openSource(place, options);
      try {
        await show(cli, flags, { place, source, options });
      } finally {
        await source.close();
      }
    }, flags.number("command-timeout"));
    return 0;
  } catch (failure) {
    if (!isNoImage(failure, text)) throw failure;
    reportOne(cli, failure);
    return NO_IMAGE;
  }
}

interface Subject {
  readonly place: PlaceName;
  readonly source: Source;
  readonly options: PlaceOptions;
}

async function show(cli: Cli, flags: Flags, subject: Subject): Promise<void> {
  const { source, options } = subject;
  const root = await source.document(undefined, options);
  if (flags.truth("raw") && !flags.truth("config")) return writeRaw(cli, root.bytes);
  const [read, tags, attached] = await Promise.all([
    readImage(source, root, wantedPlatform(flags), options),
    ...besides(cli, flags, subject, root),
  ]);
  if (flags.truth("raw")) return writeRaw(cli, read.config);
  const config = parsed(read.config, source.name);
  if (flags.truth("config")) return write(cli, flags, ociConfig(config), () => goNames(config));
  const about = summary(subject, read, { config, tags, algorithm: flags.text("manifest-digest") });
  write(cli, flags, { ...about, ...attached });
}

/** What else is told than the image itself, where it is wanted: the repository's tags, and what is attached to the image. */
function besides(cli: Cli, flags: Flags, subject: Subject, root: Document) {
  if (flags.truth("config")) return [Promise.resolve([]), Promise.resolve({})] as const;
  const tags = flags.truth("no-tags") ? Promise.resolve([]) : tagsOf(cli, subject);
  // What skopeo does not tell is not told in its name.
  return [tags, flags.truth("as-skopeo") ? Promise.resolve({}) : attachments(subject, root, tags)] as const;
}

/** Bytes as they are, whatever they are. */
function writeRaw(cli: Cli, bytes: Uint8Array): void {
  cli.out(Buffer.from(bytes).toString("utf8"));
}

async function readImage(source: Source, root: Document, platform: Platform, options: PlaceOptions): Promise<Read> {
  let document = root;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const read = parseDocument(document.bytes, document.descriptor, source.name);
    if (read.kind === "manifest")
      return { root, manifest: read.manifest, config: await readConfig(source, read.manifest, options) };
    document = await source.document(chooseImage(read.index, platform, source.name), options);
  }
  throw new GalleyError("data_loss", `more than ${MAX_DEPTH} indexes lead one to another`, { subject: source.name });
}

function parsed(bytes: Uint8Array, name: string): Partial<ImageConfig> & { readonly docker_version?: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The same fault as JSON that is no object.
  }
  throw new GalleyError("data_loss", "the configuration is not a JSON object", { op: "inspect", subject: name });
}

async function tagsOf(cli: Cli, { place, options }: Subject): Promise<readonly string[]> {
  if (place.transport !== "docker") return [];
  const [{ Repository }, { RegistryClients }] = await Promise.all([
    import("../../image/transports/registry/repository.ts"),
    import("../../image/transports/registry/clients.ts"),
  ]);
  try {
    return await new Repository(new RegistryClients(options.registry), place.reference).tags(options);
  } catch (failure) {
    // Some registries have no such list, or show it to nobody; the image is there all the same.
    if (!["permission_denied", "not_found"].includes(toGalleyError(failure).code)) throw failure;
    cli.err("Registry disallows tag list retrieval; skipping\n");
    return [];
  }
}

interface About {
  readonly config: Partial<ImageConfig> & { readonly docker_version?: string };
  readonly tags: readonly string[];
  readonly algorithm: string | undefined;
}

function summary({ place }: Subject, { root, manifest }: Read, { config, tags, algorithm }: About) {
  const layers = manifest.layers;
  const named = place.transport === "docker" || (place.transport === "docker-daemon" && "reference" in place);
  return {
    ...(named ? { Name: repositoryOf(place.reference) } : {}),
    Digest: digestOf(root.bytes, algorithmOf(algorithm)),
    RepoTags: tags,
    Created: isImage(manifest) ? (config.created ?? null) : null,
    DockerVersion: config.docker_version ?? "",
    Labels: config.config?.Labels ?? null,
    Architecture: config.architecture ?? "",
    Os: config.os ?? "",
    Layers: layers.map(({ digest }) => digest),
    LayersData: layers.map((layer) => ({
      MIMEType: layer.mediaType,
      Digest: layer.digest,
      Size: layer.size,
      Annotations: layer.annotations ?? null,
    })),
    Env: config.config?.Env ?? null,
  };
}

function algorithmOf(text: string | undefined): DigestAlgorithm {
  if (text === undefined || text === "sha256" || text === "sha512") return text ?? "sha256";
  throw new UsageError(`digest algorithm ${JSON.stringify(text)} is not available`, 1, true);
}

/** The fields of an OCI configuration, in the specification's order; what Docker adds is left out, as skopeo does. */
function ociConfig(config: Partial<ImageConfig>): Record<string, unknown> {
  const exec = config.config ?? {};
  const given = (value: unknown) => value !== undefined && value !== null && value !== "" && value !== false;
  const some = (fields: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(fields.filter(([, v]) => given(v)));
  return {
    ...some([
      ["created", config.created],
      ["author", config.author],
    ]),
    architecture: config.architecture ?? "",
    os: config.os ?? "",
    ...some([
      ["os.version", config["os.version"]],
      ["os.features", config["os.features"]],
      ["variant", config.variant],
    ]),
    config: some([
      ["User", exec.User],
      ["ExposedPorts", exec.ExposedPorts],
      ["Env", exec.Env],
      ["Entrypoint", exec.Entrypoint],
      ["Cmd", exec.Cmd],
      ["Volumes", exec.Volumes],
      ["WorkingDir", exec.WorkingDir],
      ["Labels", exec.Labels],
      ["StopSignal", exec.StopSignal],
      ["ArgsEscaped", exec.ArgsEscaped],
    ]),
    rootfs: { type: config.rootfs?.type ?? "", diff_ids: config.rootfs?.diff_ids ?? null },
    ...some([["history", config.history]]),
  };
}

/** A configuration by the names that its fields have in Go, which templates use. */
function goNames(config: Partial<ImageConfig>): Record<string, unknown> {
  const history = (config.history ?? []).map((entry) => ({
    Created: entry.created ?? "",
    CreatedBy: entry.created_by ?? "",
    Author: entry.author ?? "",
    Comment: entry.comment ?? "",
    EmptyLayer: entry.empty_layer ?? false,
  }));
  return {
    Created: config.created ?? null,
    Author: config.author ?? "",
    Architecture: config.architecture ?? "",
    OS: config.os ?? "",
    OSVersion: config["os.version"] ?? "",
    Variant: config.variant ?? "",
    Config: { User: "", Env: null, Entrypoint: null, Cmd: null, WorkingDir: "", StopSignal: "", ...config.config },
    RootFS: { Type: config.rootfs?.type ?? "", DiffIDs: config.rootfs?.diff_ids ?? [] },
    History: history,
  };
}

function write(
  cli: Cli,
  flags: Flags,
  document: Record<string, unknown>,
  forTemplates: () => Record<string, unknown> = () => document,
): void {
  const format = flags.text("format");
  if (format === undefined || format === "json") {
    cli.out(goDocument(document));
    return;
  }
  const renderer = inspectRenderer(format);
  renderer.add(forTemplates());
  cli.out(renderer.text());
}
