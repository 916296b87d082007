import { openDestination } from "../../image/transports/open-place.ts";
import { parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";
import { artifactCopyFlags, copyArtifact } from "../places/artifact-copy.ts";
import { Flags, signingFlags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { signedName, signersOf } from "../places/trust.ts";

export const command = defineCommand({
  usage: "[OPTIONS] ARTIFACT",
  summary: "Send an artifact of the store to a registry",
  flags: {
    ...artifactCopyFlags(),
    ...signingFlags(),
    digestfile: string({ usage: "Write the digest of the pushed artifact to the file" }),
  },
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags: values, args: [name = ""], changed }) {
    const flags = new Flags(values, changed);
    const store = await (await cli.engine()).artifacts();
    const artifact = await store.get(name);
    const signing = { signers: await signersOf(cli, flags), signAs: signedName(flags) };
    const { digest } = await copyArtifact(signing, async (signal) => {
      const options = placeOptions(cli, flags, "", signal);
      const destination = await openDestination(parsePlace(`docker://${artifact.name}`), options);
      return { source: store.source(artifact), destination };
    });
    const digestfile = flags.text("digestfile");
    if (digestfile !== undefined) await Bun.write(digestfile, digest);
    if (!flags.truth("quiet")) cli.out(`${digest}\n`);
    return 0;
  },
});
