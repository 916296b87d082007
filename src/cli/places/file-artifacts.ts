import type { ManifestLists } from "../../image/lists/manifest-lists.ts";
import type { Cli } from "../cli.ts";
import type { FlagSet } from "../flags/flag.ts";
import { bool, string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags } from "./flags.ts";
import { entryChange, placeOfImage, subjectOf } from "./manifest-lists.ts";

/** podman's flags that make an artifact of files for a list. */
export function artifactFlags() {
  return {
    artifact: bool({ usage: "Add all arguments as artifact files rather than as images" }),
    "artifact-config": string({ usage: "Artifact configuration file", type: "path" }),
    "artifact-config-type": string({ usage: "Artifact configuration media type" }),
    "artifact-exclude-titles": bool({ usage: "Set no titles with the files' names" }),
    "artifact-layer-type": string({ usage: "Media type of the files" }),
    "artifact-subject": string({ usage: "Set the image or artifact that the list is about", type: "subject" }),
    "artifact-type": string({ usage: "Say what kind of artifact it is" }),
  } satisfies FlagSet;
}

/** Refuses what is said of an artifact where there is none. */
export function refuseWithoutArtifact(changed: ReadonlySet<string>): void {
  const one = [...changed].find((name) => name.startsWith("artifact-"));
  if (one !== undefined) throw new UsageError(`--${one} requires --artifact`, 125, true);
}

export interface FilesRequest {
  readonly lists: ManifestLists;
  readonly name: string;
  readonly paths: readonly string[];
  readonly changed: ReadonlySet<string>;
}

/** Makes an artifact of files and writes it to a list. Its subject becomes the list's, as with podman 5. */
export async function addFilesToList(
  cli: Cli,
  flags: Flags,
  { lists, name, paths, changed }: FilesRequest,
): Promise<void> {
  const [{ artifactOfFiles }, { changedEntry, withArtifact }] = await Promise.all([
    import("../../image/lists/file-artifact.ts"),
    import("../../image/lists/manifest-list.ts"),
  ]);
  const about = flags.text("artifact-subject");
  const subject = about && (await subjectOf(cli, flags, placeOfImage((await cli.engine()).images, about)));
  const { entry, artifact } = await artifactOfFiles({
    paths,
    type: changed.has("artifact-type") ? (flags.text("artifact-type") ?? "") : undefined,
    config: flags.text("artifact-config"),
    configType: flags.text("artifact-config-type"),
    layerType: flags.text("artifact-layer-type"),
    titles: !flags.truth("artifact-exclude-titles"),
  });
  const described = changedEntry(entry, entryChange(flags));
  lists.update(name, (before) => ({ ...withArtifact(before, described, artifact), ...(subject ? { subject } : {}) }));
}
