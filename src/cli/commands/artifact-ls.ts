import type { Artifact } from "../../image/artifacts/artifact-store.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { renderListing } from "../format/listing.ts";
import { Methods } from "../format/template/values.ts";
import { ago, humanSize } from "../format/units.ts";
import { shortId } from "../rows/text.ts";
import { listFormat } from "../shared/list-flags.ts";

const table = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.Created}}\t{{.Size}}";
const headings = { Repository: "REPOSITORY", Tag: "TAG", Digest: "DIGEST", Created: "CREATED", Size: "SIZE" };
const CREATED = "org.opencontainers.image.created";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List artifacts",
  flags: {
    format: listFormat(),
    "no-trunc": bool({ usage: "Do not truncate output" }),
    noheading: bool({ short: "n", usage: "Do not print column headings" }),
  },
  args: { most: 0 },
  failureStatus: 125,
  async run({ cli, flags }) {
    const artifacts = await (await (await cli.engine()).artifacts()).list();
    const rows = artifacts.map((artifact) => row(artifact, flags["no-trunc"]));
    const format = flags.format === "" || flags.format === "table" ? table : flags.format;
    const text = renderListing({ format, rows, headings });
    const hasHeading = flags.noheading && format.startsWith("table");
    cli.out(hasHeading ? text.slice(text.indexOf("\n") + 1) : text);
    return 0;
  },
});

function row({ name, digest, manifest }: Artifact, whole: boolean): Methods {
  const colon = name.lastIndexOf(":");
  const [repository, tag] = colon > name.lastIndexOf("/") ? [name.slice(0, colon), name.slice(colon + 1)] : [name, ""];
  const created = manifest.annotations?.[CREATED];
  return new Methods("artifactListOutput", {
    Repository: () => repository,
    Tag: () => tag,
    Digest: () => (whole ? digest.slice(digest.indexOf(":") + 1) : shortId(digest)),
    Created: () => (created === undefined ? "" : ago(created, Date.now())),
    Size: () => humanSize(manifest.layers.reduce((sum, { size }) => sum + size, 0)),
  });
}
