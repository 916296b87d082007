import { resolve } from "node:path";
import { defineCommand } from "../command.ts";
import { bool, duration, string } from "../flags/kinds.ts";
import { fullSpeed } from "../full-speed.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";
import { UsageError } from "../usage-error.ts";

/** Nanoseconds that a push may take from its first blob to its manifest. */
const HOUR = 3600e9;

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Serve images to others by the OCI distribution protocol",
  flags: {
    delete: bool({ usage: "Let clients delete tags, manifests and blobs", initial: true }),
    gc: duration({ usage: "Delete what nothing needs, again and again after this time", shownDefault: '"never"' }),
    "gc-older-than": duration({
      usage: "With --gc, keep what came since, or was asked about: it may belong to a push",
      initial: HOUR,
      shownDefault: "1h",
    }),
    "gc-untagged": bool({ usage: "With --gc, also manifests that no tag leads to" }),
    htpasswd: string({
      usage: "Ask for a name and password of this file (bcrypt, as htpasswd -B makes it)",
      type: "file",
    }),
    listen: string({
      usage: "Address and port to listen on; port 0 is any",
      initial: "127.0.0.1:5000",
      type: "address",
    }),
    mirror: string({ usage: "Read through to this registry and keep what comes (https://HOST[:PORT])", type: "url" }),
    "read-only": bool({ usage: "Refuse whatever would change something" }),
    root: string({ usage: "Directory of what it keeps", shownDefault: '"<root of the store>/registry"' }),
    "tls-cert": string({ usage: "Serve by TLS with this certificate (PEM)", type: "file" }),
    "tls-key": string({ usage: "The certificate's key (PEM)", type: "file" }),
  },
  args: { most: 0 },
  async run({ cli, flags }) {
    const { startRegistryServer } = await import("../../registry/server.ts");
    const [certificate, key] = [flags["tls-cert"], flags["tls-key"]];
    if ((certificate === "") !== (key === "")) throw new UsageError("--tls-cert and --tls-key go together", 1, true);
    const server = await startRegistryServer({
      ...parseListen(flags.listen),
      root: flags.root === "" ? resolve(cli.options.root, "registry") : resolve(flags.root),
      deletion: flags.delete,
      readOnly: flags["read-only"],
      ...collecting(flags.gc, flags["gc-older-than"] ?? HOUR, flags["gc-untagged"]),
      ...(certificate === "" ? {} : { tls: { certificate, key } }),
      ...(flags.htpasswd === "" ? {} : { htpasswd: flags.htpasswd }),
      ...(flags.mirror === "" ? {} : { mirror: flags.mirror }),
      onFailure: (failure) => cli.err(`${failure.describe()}\n`),
    });
    cli.err(`listening on ${server.url}\n`);
    fullSpeed();
    await untilInterrupted(ended, undefined).catch(() => undefined);
    await server.stop();
    return 0;
  },
});

/** Times in nanoseconds. */
function collecting(every: number | undefined, olderThan: number, untagged: boolean) {
  if (every === undefined) return {};
  if (every < 1e9) throw new UsageError("--gc must be at least a second", 1, true);
  return { collect: { every: every / 1e6, olderThan: olderThan / 1e6, untagged } };
}

/** Rejects when the signal comes. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** `HOST:PORT`, `[ADDRESS]:PORT` or `:PORT`, which is every address of the machine. */
function parseListen(text: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || !(port < 65536)) throw new UsageError(`--listen ${text}: it is no HOST:PORT`, 1, true);
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}
