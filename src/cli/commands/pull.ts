import type { KeyOpener } from "../../image/copy/encryption/key-wrap.ts";
import { familiarRepository, parseReference, repositoryOf } from "../../image/reference.ts";
import { namesPlace } from "../../image/transports/place-name.ts";
import type { RegistryOptions } from "../../image/transports/registry/clients.ts";
import type { Images } from "../../image/types.ts";
import type { Cli } from "../cli.ts";
import { defineCommand } from "../command.ts";
import type { FlagSet } from "../flags/flag.ts";
import { bool, string } from "../flags/kinds.ts";
import { decryptionFlags, privateKeys } from "../places/encryption.ts";
import { accessFlags, Flags, retryFlags } from "../places/flags.ts";
import { machineFlags, machineOf } from "../places/machine.ts";
import { registryOptions } from "../places/options.ts";
import { pullImage, statusLine, taggedName } from "../shared/pull.ts";
import { UsageError } from "../usage-error.ts";

const policies = ["always", "missing", "never", "newer"];

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]|TRANSPORT:IMAGE",
  summary: "Download an image from a registry, or bring it from another place",
  flags: {
    "all-tags": bool({ short: "a", usage: "Download all tagged images in the repository" }),
    "disable-content-trust": bool({ usage: "", initial: true, hidden: true }),
    platform: string({ usage: "Set platform if the image is made for several (os/arch[/variant])" }),
    quiet: bool({ short: "q", usage: "Suppress verbose output" }),
    ...podmanFlags(),
  },
  args: { least: 1, most: 1 },
  async run({ cli, flags: values, args: [text = ""], changed }) {
    const flags = new Flags(values, changed);
    const { images } = await cli.engine();
    const asked = {
      platform: machineOf(flags) ?? cli.env.DOCKER_DEFAULT_PLATFORM ?? "",
      quiet: flags.truth("quiet"),
      registry: registryOptions(cli, flags, ""),
      decryption: await privateKeys(flags.texts("decryption-key")),
    };
    const reference = text.startsWith("docker://") ? text.slice("docker://".length) : text;
    if (namesPlace(reference)) {
      const { pullPlace } = await import("../places/pull-place.ts");
      await pullPlace(cli, flags, { place: reference, ...asked });
      return 0;
    }
    if (flags.truth("all-tags")) return pullAll(cli, images, { ...asked, name: reference });
    const { tag, digest } = parseReference(reference);
    if (tag === undefined && digest === undefined && !asked.quiet) cli.out("Using default tag: latest\n");
    const isHeld = () =>
      images.find(reference, asked.platform === "" ? {} : { platform: asked.platform }) !== undefined;
    const policy = policyOf(flags);
    if (policy === "never") images.get(reference);
    if (policy === "never" || (policy === "missing" && isHeld())) {
      cli.out(`${taggedName(reference)}\n`);
      return 0;
    }
    try {
      const result = await pullImage(cli, images, { ...asked, reference, stream: 1 });
      cli.out(`${result.reference}\n`);
    } catch (failure) {
      if (policy !== "newer" || !isHeld()) throw failure;
      cli.out(`${taggedName(reference)}\n`);
    }
    return 0;
  },
});

/** What podman's pull has beyond docker's. */
function podmanFlags(): FlagSet {
  return {
    ...accessFlags(),
    ...retryFlags("retry"),
    ...machineFlags(),
    ...decryptionFlags(),
    policy: string({ usage: `Pull policy: ${policies.join(", ")}`, initial: "always" }),
  };
}

function policyOf(flags: Flags): string {
  const asked = flags.text("policy") ?? "always";
  if (policies.includes(asked)) return asked;
  throw new UsageError(`unsupported pull policy ${JSON.stringify(asked)}`, 1, true);
}

interface AllTags {
  readonly name: string;
  readonly platform: string;
  readonly quiet: boolean;
  readonly registry: RegistryOptions;
  readonly decryption: readonly KeyOpener[] | undefined;
}

/** docker's `pull -a`: each tag of the repository, one after the other. */
async function pullAll(cli: Cli, images: Images, { name, ...asked }: AllTags): Promise<number> {
  const reference = parseReference(name);
  if (reference.tag !== undefined || reference.digest !== undefined)
    throw new UsageError("tag can't be used with --all-tags/-a", 1, true);
  const [{ Repository }, { RegistryClients }] = await Promise.all([
    import("../../image/transports/registry/repository.ts"),
    import("../../image/transports/registry/clients.ts"),
  ]);
  const tags = await new Repository(new RegistryClients(asked.registry), reference).tags({});
  let changed = false;
  for (const tag of tags) {
    const one = { ...asked, reference: `${repositoryOf(reference)}:${tag}`, stream: 1, one: true } as const;
    const result = await pullImage(cli, images, one);
    changed ||= result.changed;
  }
  if (!asked.quiet) cli.out(statusLine(familiarRepository(reference), changed));
  cli.out(`${repositoryOf(reference)}\n`);
  return 0;
}
