import { parseReference, repositoryOf } from "../../image/reference.ts";
import { parsePlace } from "../../image/transports/place-name.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import { commonFlags, Flags, registryFlags } from "../places/flags.ts";
import { goDocument } from "../places/go-document.ts";
import { placeOptions } from "../places/options.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SOURCE-IMAGE",
  summary: "List the tags of a repository, or of an archive of docker save",
  flags: { ...commonFlags(), ...registryFlags("") },
  args: { least: 1, most: 1 },
  async run({ cli, flags: values, args: [text = ""], changed }) {
    const flags = new Flags(values, changed);
    const transport = text.slice(0, Math.max(0, text.indexOf(":")));
    const list = lists[transport];
    if (list === undefined) {
      const known = Object.keys(lists).join(", ");
      throw new UsageError(`Unsupported transport '${transport}' for tag listing. Only supported: ${known}`, 1, true);
    }
    const work = (signal: AbortSignal) => list(cli, text, flags, signal);
    cli.out(goDocument(await untilInterrupted(work, flags.number("command-timeout"))));
    return 0;
  },
});

type List = (cli: Cli, text: string, flags: Flags, signal: AbortSignal) => Promise<Record<string, unknown>>;

const lists: Readonly<Record<string, List>> = { docker: repositoryTags, "docker-archive": archiveTags };

async function repositoryTags(cli: Cli, text: string, flags: Flags, signal: AbortSignal) {
  if (!text.startsWith("docker://")) {
    throw new UsageError(`docker: image reference ${text} does not start with docker://`, 1, true);
  }
  const reference = parseReference(text.slice("docker://".length));
  if (reference.tag !== undefined || reference.digest !== undefined) {
    throw new UsageError("No tag or digest allowed in reference", 1, true);
  }
  const [{ Repository }, { RegistryClients }] = await Promise.all([
    import("../../image/transports/registry/repository.ts"),
    import("../../image/transports/registry/clients.ts"),
  ]);
  const clients = new RegistryClients(placeOptions(cli, flags, "").registry);
  return { Repository: repositoryOf(reference), Tags: await new Repository(clients, reference).tags({ signal }) };
}

async function archiveTags(cli: Cli, text: string, flags: Flags, signal: AbortSignal) {
  const place = parsePlace(text);
  const [{ archivedImages }, { ArchiveFiles }] = await Promise.all([
    import("../../image/transports/docker-archive/archive-source.ts"),
    import("../../image/transports/files/archive-files.ts"),
  ]);
  const path = "path" in place ? place.path : "";
  const files = await ArchiveFiles.open(path, placeOptions(cli, flags, "", signal));
  try {
    const images = await archivedImages(files);
    return { Tags: images.flatMap(({ tags }, position) => (tags.length === 0 ? [`@${position}`] : tags)) };
  } finally {
    await files.close();
  }
}
