import type { ContainerSpec } from "../../engine/types.ts";
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
): Promise<string> {
  const file = values.cidfile === "" ? undefined : openCidFile(values.cidfile);
  try {
    await provideImage(cli, engine, spec, values);
    const { id, warnings } = await engine.containers.create(spec);
    for (const warning of warnings) cli.err(`WARNING: ${warning}\n`);
    file?.write(id);
    return id;
  } catch (failure) {
    file?.discard();
    throw failure;
  }
}

/** With the policy `never`, absence is the engine's to report. */
async function provideImage(
  cli: Cli,
  { images }: CliEngine,
  { image, platform }: ContainerSpec,
  { pull, quiet }: { readonly pull: string; readonly quiet: boolean },
): Promise<void> {
  if (pull === "never") return;
  if (pull === "missing" && images.find(image, platform === undefined ? {} : { platform }) !== undefined) return;
  const { pullImage, taggedName } = await import("./pull.ts");
  if (pull === "missing" && !quiet) cli.err(`Unable to find image '${taggedName(image)}' locally\n`);
  await pullImage(cli, images, { reference: image, platform: platform ?? "", quiet, stream: 2 });
}
