import type { ContainerSpec, CreateOptions } from "../../engine/types.ts";
import type { Images } from "../../image/types.ts";
import type { Cli, CliEngine } from "../cli.ts";
import { type ContainerRequest, containerSpec, type OptionParsers } from "../container-flags/spec.ts";
import { openCidFile } from "./cid-file.ts";
import { readOptionFile } from "./option-file.ts";

/** The specification that a command line asks for; option files are read here. */
export async function specOf(cli: Cli, request: ContainerRequest): Promise<ContainerSpec> {
  const parsers = needsParsers(request) ? (await import("../container-flags/parsers.ts")).engineParsers() : noParsers;
  const platform = cli.env.DOCKER_DEFAULT_PLATFORM;
  const spec = containerSpec(request, parsers, { env: cli.env, readFile: readOptionFile });
  return spec.platform === undefined && platform ? { ...spec, platform } : spec;
}

function needsParsers({ values }: ContainerRequest): boolean {
  const { volume, mount, tmpfs, device, ulimit, publish, expose } = values;
  return [volume, mount, tmpfs, device, ulimit, publish, expose].some((texts) => texts.length > 0);
}

function unused(): never {
  throw new Error("no option needs this parser");
}

/** Stands in where no option needs the engine's parsers, which then are not loaded. */
const noParsers: OptionParsers = {
  volume: unused,
  mount: unused,
  tmpfs: unused,
  device: unused,
  ulimit: unused,
  publish: unused,
  expose: unused,
};

/** Makes the container, fetching its image where the pull policy asks for it. Resolves with its ID. */
export async function createContainer(
  cli: Cli,
  engine: CliEngine,
  spec: ContainerSpec,
  { values }: ContainerRequest,
  options: CreateOptions = {},
): Promise<string> {
  const file = values.cidfile === "" ? undefined : openCidFile(values.cidfile);
  try {
    await provideImage(cli, engine, spec, values);
    const { id, warnings } = await engine.containers.create(spec, options);
    for (const warning of warnings) cli.err(`WARNING: ${warning}\n`);
    file?.write(id);
    return id;
  } catch (failure) {
    file?.discard();
    throw failure;
  }
}

/** Absence that is left is the engine's to report. */
async function provideImage(
  cli: Cli,
  { images }: CliEngine,
  { image, platform }: ContainerSpec,
  { pull, quiet, "decryption-key": keys }: ContainerRequest["values"],
): Promise<void> {
  const found = () => images.find(image, platform === undefined ? {} : { platform });
  if (pull !== "always") {
    if (found() !== undefined) return;
    // What comes with Galley is for this machine's platform alone.
    if ((await makeEmbedded(cli, images, image, quiet)) && found() !== undefined) return;
  }
  if (pull === "never") return;
  const { pullImage, taggedName } = await import("./pull.ts");
  const decryption = keys.length === 0 ? undefined : await (await import("../places/encryption.ts")).privateKeys(keys);
  if (pull === "missing" && !quiet) cli.err(`Unable to find image '${taggedName(image)}' locally\n`);
  await pullImage(cli, images, { reference: image, platform: platform ?? "", quiet, stream: 2, decryption });
}

/** Makes the image that comes with Galley, if it is the one that is wanted and there is something to make it from. */
async function makeEmbedded(cli: Cli, images: Images, image: string, quiet: boolean): Promise<boolean> {
  const { ensureEmbedded, isEmbedded } = await import("../../image/embedded/embedded.ts");
  if (!isEmbedded(image)) return false;
  const { busyboxBinary } = await import("../assets.ts");
  const binary = busyboxBinary();
  if (binary === undefined) return false;
  const say = () => (quiet ? undefined : cli.err("galley: making the busybox image that comes with Galley (once)\n"));
  return (await ensureEmbedded(image, images, () => binary, say)) !== undefined;
}
