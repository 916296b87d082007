import { GalleyError } from "../errors.ts";
import type { Descriptor, Platform } from "../spec/image.ts";

/** Names of operating systems and architectures that may stand alone in a specifier. */
const systems = new Set(["linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "solaris", "android"]);
const architectures = new Set(
  "386 amd64 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm".split(" "),
);

const nodeArchitectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  loong64: "loong64",
  ppc64: "ppc64le",
};

/** The platform of this machine, without a variant, as docker asks registries for it. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: nodeArchitectures[process.arch] ?? process.arch });
}

/**
 * Parses `os`, `arch`, `os/arch` or `os/arch/variant` as containerd does; what is left out is the host's.
 * Anything else is `invalid_argument`.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) throw unreadable(text);
  const [first = "", second, variant] = parts;
  if (second !== undefined) {
    return normalizePlatform({ os: first, architecture: second, ...(variant === undefined ? {} : { variant }) });
  }
  const host = hostPlatform();
  if (systems.has(systemName(first))) return { ...host, os: systemName(first) };
  const platform = normalizePlatform({ os: host.os, architecture: first });
  if (architectures.has(platform.architecture)) return platform;
  throw unreadable(text);
}

function unreadable(text: string): GalleyError {
  return new GalleyError("invalid_argument", `${JSON.stringify(text)} is not a platform`, {
    op: "parse platform",
    hint: "write it as os/arch[/variant], such as linux/amd64 or linux/arm/v7",
  });
}

function systemName(os: string): string {
  const name = os.toLowerCase();
  return name === "macos" ? "darwin" : name;
}

/** One spelling for each platform: `x86_64` is `amd64`, `arm64/v8` is `arm64`, `arm` is `arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, variant] = machineName(
    platform.architecture.toLowerCase(),
    (platform.variant ?? "").toLowerCase(),
  );
  const { variant: _, ...rest } = platform;
  return { ...rest, os: systemName(platform.os), architecture, ...(variant === "" ? {} : { variant }) };
}

function machineName(architecture: string, variant: string): readonly [string, string] {
  switch (architecture) {
    case "i386":
      return ["386", ""];
    case "x86_64":
    case "x86-64":
    case "amd64":
      return ["amd64", variant === "v1" ? "" : variant];
    case "aarch64":
    case "arm64":
      return ["arm64", variant === "8" || variant === "v8" ? "" : variant];
    case "armhf":
      return ["arm", "v7"];
    case "armel":
      return ["arm", "v6"];
    case "arm":
      return ["arm", variant === "" ? "v7" : variant.replace(/^([5-8])$/, "v$1")];
    default:
      return [architecture, variant];
  }
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** Machines whose programs the given one runs too, the best first, itself included. */
function runnable(platform: Platform): readonly (readonly [string, string])[] {
  const { architecture, variant = "" } = normalizePlatform(platform);
  const itself = [architecture, variant] as const;
  if (architecture === "amd64") return [itself, ...lowerLevels(variant), ["386", ""]];
  if (architecture === "arm") return armBelow(variant);
  if (architecture === "arm64") return [...arm64Below(variant), ...armBelow("v8")];
  return [itself];
}

/** Micro-architecture levels of amd64 below `vN`; level 1 is written without a variant. */
function lowerLevels(variant: string): readonly (readonly [string, string])[] {
  return countDown(Number(variant.slice(1)) - 1, 1).map((level) => ["amd64", level === 1 ? "" : `v${level}`] as const);
}

function armBelow(variant: string): readonly (readonly [string, string])[] {
  return countDown(Number(variant.slice(1)), 5).map((level) => ["arm", `v${level}`] as const);
}

/** ARMv9.x contains ARMv8.(x+5). */
function arm64Below(variant: string): readonly (readonly [string, string])[] {
  const [major = 8, minor = 0] = variant === "" ? [] : variant.slice(1).split(".").map(Number);
  const version = (level: number, minors: number) =>
    countDown(minors, 0).map((n) => ["arm64", n > 0 ? `v${level}.${n}` : level === 8 ? "" : `v${level}`] as const);
  return major === 9 ? [...version(9, minor), ...version(8, minor + 5)] : version(major, minor);
}

/** Empty where `from` is below `to` or not a number. */
function countDown(from: number, to: number): readonly number[] {
  return from >= to ? Array.from({ length: from - to + 1 }, (_, index) => from - index) : [];
}

/** How well a program for `offered` runs on `wanted`: 0 is best, `undefined` is not at all. */
export function matchPlatform(wanted: Platform, offered: Platform): number | undefined {
  const other = normalizePlatform(offered);
  if (other.os !== systemName(wanted.os)) return undefined;
  const rank = runnable(wanted).findIndex(([arch, v]) => arch === other.architecture && v === (other.variant ?? ""));
  return rank < 0 ? undefined : rank;
}

/** The descriptor of an index that fits best; of equals the first. Entries without a platform do not take part. */
export function choosePlatform(wanted: Platform, manifests: readonly Descriptor[]): Descriptor | undefined {
  let best: { readonly rank: number; readonly descriptor: Descriptor } | undefined;
  for (const descriptor of manifests) {
    const rank = descriptor.platform === undefined ? undefined : matchPlatform(wanted, descriptor.platform);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, descriptor };
  }
  return best?.descriptor;
}
