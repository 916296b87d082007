import { pathToFileURL } from "node:url";
import { GalleyError } from "../../../../errors.ts";
import { parseDocument } from "../../../pull/manifests.ts";
import { canonicalName, type Reference } from "../../../reference.ts";
import { signatureStorage } from "../../../trust/registries-d.ts";
import type { Signer } from "../../../trust/signature.ts";
import type { TransportOptions } from "../../transport.ts";
import type { RegistryClients } from "../clients.ts";
import { RegistryTransport } from "../registry.ts";
import { Lookaside } from "./lookaside.ts";

export interface SignInPlace extends TransportOptions {
  readonly signer: Signer;
  /** Of a list, its images too. */
  readonly all: boolean;
  /** Where signatures are kept, in place of what registries.d says. */
  readonly directory?: string | undefined;
}

/** Signs an image of a registry where it is: signatures are added to those beside the registry. Gives the digests that were signed. */
export async function signInPlace(
  clients: RegistryClients,
  reference: Reference,
  { signer, all, directory, ...options }: SignInPlace,
): Promise<readonly string[]> {
  const transport = new RegistryTransport(clients, clients.direct(reference));
  const storage = signatureStorage(reference, clients.env, clients.signatureDirectory);
  const base = directory === undefined ? storage.write : pathToFileURL(directory).href;
  const lookaside = new Lookaside(base.replace(/\/+$/, ""), reference.path, clients.exchange);
  const root = await transport.resolve(reference, options);
  const bytes = await transport.fetchManifest(reference, root, options);
  const parsed = parseDocument(bytes, root, canonicalName(reference));
  const parts = parsed.kind === "index" && all ? parsed.index.manifests : [];
  const signed: string[] = [];
  for (const target of [root, ...parts]) {
    const manifest = target === root ? bytes : await transport.fetchManifest(reference, target, options);
    const signature = await signer.sign(manifest, canonicalName(reference));
    if (signature.format !== "simple-signing") throw new GalleyError("internal", "only simple signatures are kept so");
    lookaside.write(target.digest, [...(await lookaside.read(target.digest, options)), signature]);
    signed.push(target.digest);
  }
  return signed;
}
