import { UsageError } from "../usage-error.ts";

/** Where an image is copied from or to: this store, that of another user of this machine, or one behind ssh. */
export type ScpHost =
  | { readonly kind: "here" }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "ssh"; readonly words: readonly string[]; readonly name: string };

export interface ScpEnds {
  readonly from: ScpHost;
  readonly image: string;
  readonly to: ScpHost;
}

/**
 * What `image scp SOURCE [DESTINATION]` means (podman-image-scp(1)): `HOST::IMAGE` or `IMAGE`, then `HOST::` or nothing for this store.
 * @param self name of the user who asks, whose own `USER@localhost` is this store
 */
export function scpEnds(args: readonly string[], self: string): ScpEnds {
  const [source = "", destination = ""] = args;
  const from = divided(source);
  if (from.image === "") throw usage(`${source}: which image?`);
  const to = destination === "" ? divided("") : divided(destination.includes("::") ? destination : `${destination}::`);
  if (to.image !== "") throw usage("the image keeps its name; write the destination as HOST::");
  const ends = { from: hostOf(from.host, self), image: from.image, to: hostOf(to.host, self) };
  if (ends.from.kind === "here" && ends.to.kind === "here")
    throw usage("no host is given: write HOST::IMAGE, or HOST:: after it");
  return ends;
}

function divided(text: string): { readonly host: string; readonly image: string } {
  const at = text.lastIndexOf("::");
  return at < 0 ? { host: "", image: text } : { host: text.slice(0, at), image: text.slice(at + 2) };
}

function hostOf(text: string, self: string): ScpHost {
  if (text === "") return { kind: "here" };
  const [, user, host = "", port] =
    /^(?:ssh:\/\/)?(?:([^@/:\s]+)@)?([^@/:\s]+|\[[0-9a-fA-F:]+\])(?::([0-9]+))?(?:\/.*)?$/.exec(text) ?? [];
  // A word that begins so would be an option of ssh's.
  if (host === "" || host.startsWith("-") || user?.startsWith("-") === true) throw usage(`${text}: that is no host`);
  if (host === "localhost" && port === undefined && user !== undefined) {
    return user === self ? { kind: "here" } : { kind: "user", user };
  }
  const login = user === undefined ? [] : ["-l", user];
  return {
    kind: "ssh",
    words: [...login, ...(port === undefined ? [] : ["-p", port]), "--", host.replace(/^\[|\]$/g, "")],
    name: text,
  };
}

function usage(message: string): UsageError {
  return new UsageError(message, 125, true);
}
