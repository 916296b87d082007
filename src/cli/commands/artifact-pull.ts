import { parseReference } from "../../image/reference.ts";
import { openSource } from "../../image/transports/open-place.ts";
import { parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { artifactCopyFlags, copyArtifact } from "../places/artifact-copy.ts";
import { Flags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT",
  summary: "Bring an artifact from a registry to the store",
  flags: artifactCopyFlags(),
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = ""], changed }) {
    parseReference(name);
    const store = await (await cli.engine()).artifacts();
    const { digest } = await store.alone(() =>
      copyArtifact({}, async (signal) => {
        const options = placeOptions(cli, new Flags(values, changed), "", signal);
        const source = await openSource(parsePlace(`docker://${name}`), options);
        return { source, destination: store.destination(name) };
      }),
    );
    cli.out(`${digest.slice(digest.indexOf(":") + 1)}\n`);
    return 0;
  },
});
