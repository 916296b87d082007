import { GalleyError } from "../../errors.ts";
import { namesPlace, parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { Flags, registryFlags } from "../places/flags.ts";
import { registryOptions } from "../places/options.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Sign images of a registry",
  flags: {
    ...registryFlags(""),
    authfile: string({ usage: "Path of the file with the logins" }),
    all: bool({ short: "a", usage: "Sign all the manifests of the multi-architecture image" }),
    directory: string({ short: "d", usage: "Define an alternate directory to store signatures" }),
    "sign-by": string({ usage: "Name of the signing key" }),
    "registries.d": string({ usage: "Use the settings of signature storage in DIR", type: "DIR" }),
  },
  args: { least: 1 },
  async run({ cli, flags: values, args, changed }) {
    const flags = new Flags(values, changed);
    const key = flags.text("sign-by");
    if (key === undefined) throw new UsageError("please provide an identity", 1, true);
    const [{ signInPlace }, { RegistryClients }, { gpgSigner }] = await Promise.all([
      import("../../image/transports/registry/signatures/sign-in-place.ts"),
      import("../../image/transports/registry/clients.ts"),
      import("../../image/trust/simple-signing.ts"),
    ]);
    const clients = new RegistryClients(registryOptions(cli, flags, ""));
    const options = {
      signer: gpgSigner(key, { env: cli.env }),
      all: flags.truth("all"),
      directory: flags.text("directory"),
    };
    for (const name of args) {
      const place = parsePlace(namesPlace(name) ? name : `docker://${name}`);
      if (place.transport !== "docker") throw notRegistry(name);
      await untilInterrupted((signal) => signInPlace(clients, place.reference, { ...options, signal }), undefined);
    }
    return 0;
  },
});

function notRegistry(name: string): GalleyError {
  return new GalleyError("unimplemented", "signing is only implemented for Docker images", {
    op: "sign",
    subject: name,
  });
}
