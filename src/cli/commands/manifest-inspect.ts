import { indexOf, type ManifestList } from "../../image/lists/manifest-list.ts";
import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { accessFlags, Flags } from "../places/flags.ts";
import { goDocument } from "../places/go-document.ts";
import { placeOptions } from "../places/options.ts";

export const command = defineCommand({
  usage: "[OPTIONS] LIST|IMAGE",
  summary: "Show a manifest list of the store, or what a registry has under the name",
  flags: {
    ...accessFlags(),
    verbose: bool({ short: "v", usage: "Accepted; everything is shown", hidden: true }),
  },
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = ""], changed }) {
    const [{ openSource }, { namesPlace, parsePlace }] = await Promise.all([
      import("../../image/transports/open-place.ts"),
      import("../../image/transports/place-name.ts"),
    ]);
    const list = namesPlace(name) ? undefined : (await (await cli.engine()).manifestLists()).find(name);
    if (list !== undefined) {
      cli.out(goDocument(shown(list)));
      return 0;
    }
    const place = parsePlace(namesPlace(name) ? name : `docker://${name}`);
    const source = await openSource(place, placeOptions(cli, new Flags(values, changed), ""));
    try {
      const { bytes } = await source.document();
      cli.out(goDocument(JSON.parse(Buffer.from(bytes).toString("utf8"))));
      return 0;
    } finally {
      await source.close();
    }
  },
});

/** The index as it would be pushed; of artifacts also where their files are, as podman shows it. */
function shown(list: ManifestList) {
  const index = indexOf(list);
  const manifests = index.manifests.map((entry) => {
    const artifact = list.artifacts[entry.digest];
    return artifact === undefined ? entry : { ...entry, files: artifact.files.map(({ path }) => path) };
  });
  return { ...index, manifests };
}
