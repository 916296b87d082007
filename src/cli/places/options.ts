import { hostPlatform, normalizePlatform } from "../../image/platform.ts";
import type { PlaceOptions } from "../../image/transports/open-place.ts";
import type { RegistryOptions } from "../../image/transports/registry/clients.ts";
import type { RegistryCredentials } from "../../image/types.ts";
import type { Platform } from "../../spec/image.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../usage-error.ts";
import type { Flags, Side } from "./flags.ts";

/** How the flags say that a registry is reached. */
export function registryOptions(cli: Cli, flags: Flags, side: Side): RegistryOptions {
  const authfile = flags.text(`${side}authfile`) ?? flags.text("authfile");
  const conf = flags.text("registries-conf");
  const env = {
    ...cli.env,
    ...(authfile === undefined ? {} : { REGISTRY_AUTH_FILE: authfile }),
    ...(conf === undefined ? {} : { CONTAINERS_REGISTRIES_CONF: conf }),
  };
  return {
    env,
    credentials: credentialsOf(flags, side),
    token: flags.text(`${side}registry-token`),
    tlsVerify: flags.choice(`${side}tls-verify`),
    certificates: flags.text(`${side}cert-dir`),
    signatureDirectory: flags.text("registries.d"),
    tlsDetails: tlsDetailsOf(flags),
    userAgentPrefix: flags.text("user-agent-prefix"),
    patience: {
      retries: flags.number("retry-times") ?? flags.number("retry"),
      delay: secondsOf(flags.number("retry-delay")),
    },
  };
}

function tlsDetailsOf(flags: Flags) {
  const path = flags.text("tls-details");
  if (path === undefined) return undefined;
  // Few people have such a file.
  const { readTlsDetails } =
    require("../../image/transports/registry/tls-details.ts") as typeof import("../../image/transports/registry/tls-details.ts");
  return readTlsDetails(path);
}

function secondsOf(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / 1e9;
}

function credentialsOf(flags: Flags, side: Side): RegistryCredentials | "anonymous" | undefined {
  const creds = flags.text(`${side}creds`);
  const username = flags.text(`${side}username`);
  const password = flags.text(`${side}password`);
  const anonymous = flags.truth(`${side}no-creds`);
  if (anonymous && (creds !== undefined || username !== undefined)) {
    throw new UsageError(`${side}creds and ${side}no-creds cannot be specified at the same time`, 1, true);
  }
  if (anonymous) return "anonymous";
  if (creds !== undefined) return splitLogin(creds);
  if (username === undefined) return undefined;
  return { kind: "password", username, password: password ?? "" };
}

function splitLogin(text: string): RegistryCredentials {
  const colon = text.indexOf(":");
  const [username, password] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  if (username === "") throw new UsageError("credentials can't be empty", 1, true);
  return { kind: "password", username, password };
}

/** How the flags say that a place is reached. */
export function placeOptions(cli: Cli, flags: Flags, side: Side, signal?: AbortSignal): PlaceOptions {
  return {
    registry: registryOptions(cli, flags, side),
    store: {
      source: async (reference) => (await cli.engine()).images.source(reference),
      destination: async (names) => (await cli.engine()).images.destination(names),
    },
    daemonHost: flags.text(`${side}daemon-host`),
    sharedBlobs: flags.text(`${side}shared-blob-dir`),
    scratch: flags.text("tmpdir") ?? cli.env.TMPDIR ?? "/var/tmp",
    env: cli.env,
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The machine that images are chosen for. */
export function wantedPlatform(flags: Flags): Platform {
  const host = hostPlatform();
  const architecture = flags.text("override-arch");
  const os = flags.text("override-os");
  const variant = flags.text("override-variant");
  return normalizePlatform({
    os: os ?? host.os,
    architecture: architecture ?? host.architecture,
    ...(variant !== undefined
      ? { variant }
      : architecture === undefined && host.variant
        ? { variant: host.variant }
        : {}),
  });
}
