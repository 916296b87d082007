import { GalleyError } from "../../../errors.ts";
import { type Descriptor, type ImageConfig, type ImageManifest, mediaTypes } from "../../../spec/image.ts";
import { digestOf } from "../../digest.ts";
import { squashfsMembers } from "../../layers/squashfs/squashfs-members.ts";
import type { NewMember } from "../../layers/tar/write-tar.ts";
import { parseDefinition, SCRIPT, scriptOf } from "./definition.ts";
import type { SifFile, SifObject } from "./sif-file.ts";

/** Bytes of a definition file. */
const DEFINITION_MAX = 1 << 20;

/** The script of an image, from its only definition file; of several none counts, as with containers/image. */
export function runScript(file: SifFile): string | undefined {
  const [definition, ...others] = file.objects.filter(({ type }) => type === "definition");
  if (definition === undefined || others.length > 0) return undefined;
  const { size } = definition;
  if (size > DEFINITION_MAX)
    throw new GalleyError(
      "resource_exhausted",
      `its definition file has ${size} bytes, and ${DEFINITION_MAX} are read`,
    );
  const bytes = file.section(definition).read(0, size, "the definition file");
  return scriptOf(parseDefinition(bytes.toString("utf8")));
}

/** Members of the image's only layer: the primary partition's, and the script. */
export function* layerMembers(file: SifFile, script: string | undefined): Generator<NewMember> {
  const [directory = ""] = SCRIPT.split("/");
  let there = false;
  for (const member of squashfsMembers(file.section(primaryPartition(file)))) {
    const { name, type } = member.entry;
    if (script !== undefined && name === directory) {
      if (type !== "directory") throw inTheWay(name, type);
      there = true;
    }
    if (script === undefined || name !== SCRIPT) yield member;
  }
  if (script === undefined) return;
  const common = { mode: 0o755, modified: { seconds: file.modified, nanoseconds: 0 } };
  if (!there) yield { entry: { ...common, name: directory, type: "directory" } };
  const content = Buffer.from(script);
  yield { entry: { ...common, name: SCRIPT, type: "file", size: content.length }, content };
}

function inTheWay(name: string, type: string): GalleyError {
  return new GalleyError(
    "failed_precondition",
    `the image's script is to be /${SCRIPT}, and /${name} is a ${type} there`,
  );
}

/** The partition that a container's root is made of. */
function primaryPartition({ objects }: SifFile): SifObject {
  const [found, ...others] = objects.filter(({ primary }) => primary);
  if (found === undefined) throw noPartition(objects);
  if (others.length > 0) throw new GalleyError("data_loss", "looking up rootfs from SIF file: multiple objects found");
  if (found.fileSystem === "squashfs") return found;
  throw new GalleyError("unimplemented", `its primary partition is ${found.fileSystem}, and only squashfs is read`);
}

function noPartition(objects: readonly SifObject[]): GalleyError {
  const oci = objects.some(({ type }) => type === "oci");
  const hint = oci
    ? "it is an OCI-SIF, which holds an image layout: skopeo does not read it either"
    : "it has no primary partition: it is no container";
  return new GalleyError("not_found", "looking up rootfs from SIF file: object not found", { hint });
}

/** The documents of an image. */
export interface SifImage {
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
  readonly descriptor: Descriptor;
  readonly configDigest: string;
}

/** What containers/image says of such an image: it runs the script, or bash. */
export function sifImage(
  file: SifFile,
  script: string | undefined,
  layer: Pick<Descriptor, "digest" | "size">,
): SifImage {
  const config = Buffer.from(JSON.stringify(configOf(file, script, layer.digest)));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.size }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
  return { config, manifest: bytes, descriptor, configDigest: manifest.config.digest };
}

function configOf({ architecture, modified, id }: SifFile, script: string | undefined, digest: string): ImageConfig {
  const created = new Date(modified * 1000).toISOString().replace(".000Z", "Z");
  return {
    created,
    architecture,
    os: "linux",
    config: { Cmd: [script === undefined ? "bash" : `/${SCRIPT}`] },
    rootfs: { type: "layers", diff_ids: [digest] },
    history: [
      {
        created,
        created_by: `/bin/sh -c #(nop) ADD file:${digest.slice("sha256:".length)} in /`,
        comment: `imported from SIF, uuid: ${id}`,
      },
      { created, created_by: '/bin/sh -c #(nop) CMD ["bash"]', empty_layer: true },
    ],
  };
}
