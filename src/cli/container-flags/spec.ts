import type { ContainerSpec, DeviceRequest, MountRequest, PortRequest } from "../../engine/types.ts";
import type { FlagValues } from "../flags/flag.ts";
import { convertFlag } from "../flags/parse.ts";
import { UsageError } from "../usage-error.ts";
import { compact, given } from "./compact.ts";
import { environment } from "./environment.ts";
import { containerFlags } from "./flags.ts";
import { type FileSource, readKeyValueFile } from "./key-value-file.ts";
import { resourceRequest } from "./resources.ts";
import { parseRestart } from "./restart.ts";

export type ContainerValues = FlagValues<typeof containerFlags>;

/** The engine's readers of options that are a language of their own; each throws for what it does not understand. */
export interface OptionParsers {
  volume(text: string): MountRequest;
  mount(text: string): MountRequest;
  tmpfs(text: string): MountRequest;
  device(text: string): DeviceRequest;
  ulimit(text: string): { readonly name: string; readonly soft: number; readonly hard: number };
  /** One entry for each port of a range. */
  publish(text: string): readonly PortRequest[];
  /** `80/tcp` for each port of a range. */
  expose(text: string): readonly string[];
}

/** A command line of `run` or `create`, read. */
export interface ContainerRequest {
  readonly values: ContainerValues;
  readonly changed: ReadonlySet<string>;
  /** The image, then the command. */
  readonly args: readonly string[];
  /** Nobody stays attached. */
  readonly detached: boolean;
}

/** What the engine is asked to make of a command line. Throws UsageError for flags that contradict each other. */
export function containerSpec(request: ContainerRequest, parsers: OptionParsers, source: FileSource): ContainerSpec {
  const { values, args } = request;
  const [image = "", ...command] = args;
  const restart = parseRestart(values.restart);
  if (values.rm && restart.name !== "no") {
    throw new UsageError("conflicting options: cannot specify both --restart and --rm", 125, true);
  }
  return {
    ...processPart(request, command, source),
    ...networkPart(values, parsers),
    ...storagePart(values, parsers, source),
    ...isolationPart(values, parsers),
    ...compact<Partial<ContainerSpec>>({
      name: given(values.name),
      platform: given(values.platform),
      labels: given(labels(values, source)),
      annotations: given(values.annotation),
      cidFile: given(values.cidfile),
      resources: given(resourceRequest(values)),
      autoRemove: given(values.rm),
      restart: restart.name === "no" ? undefined : restart,
    }),
    image,
  };
}

function processPart(
  { values, changed, detached }: ContainerRequest,
  command: readonly string[],
  source: FileSource,
): Partial<ContainerSpec> {
  return compact<Partial<ContainerSpec>>({
    command: given(command),
    entrypoint: changed.has("entrypoint") ? [values.entrypoint].filter(Boolean) : undefined,
    env: given(environment(values["env-file"], values.env, source)),
    workingDir: given(values.workdir),
    user: given(values.user),
    groupAdd: given(values["group-add"]),
    tty: given(values.tty),
    openStdin: given(values.interactive),
    // Whoever is attached from the start ends the container's input by leaving.
    stdinOnce: given(values.interactive && !detached),
    attach: detached ? undefined : attachedStreams(values),
    noHealthcheck: given(values["no-healthcheck"]),
    stopSignal: given(values["stop-signal"]),
    stopTimeout: changed.has("stop-timeout") ? values["stop-timeout"] : undefined,
    init: given(values.init),
  });
}

/** The streams that `run` stays attached to: without `--attach` all output; `--interactive` adds the input in any case. */
export function attachedStreams({
  attach,
  interactive,
}: Pick<ContainerValues, "attach" | "interactive">): NonNullable<ContainerSpec["attach"]> {
  const named = attach.length === 0 ? ["stdout", "stderr"] : attach;
  return (["stdin", "stdout", "stderr"] as const).filter(
    (stream) => named.includes(stream) || (stream === "stdin" && interactive),
  );
}

function networkPart(values: ContainerValues, parsers: OptionParsers): Partial<ContainerSpec> {
  const publish = values.publish.flatMap((text) => convertFlag(containerFlags, "publish", text, parsers.publish));
  const expose = values.expose.flatMap((text) => convertFlag(containerFlags, "expose", text, parsers.expose));
  return compact<Partial<ContainerSpec>>({
    hostname: given(values.hostname),
    domainname: given(values.domainname),
    network: networkMode(values.network),
    ports: given(publish),
    exposed: given(expose),
    publishAll: given(values["publish-all"]),
    dns: given(values.dns),
    dnsSearch: given(values["dns-search"]),
    dnsOptions: given(values["dns-option"]),
    extraHosts: given(values["add-host"]),
    macAddress: given(values["mac-address"].replaceAll("-", ":").toLowerCase()),
    address: given(values.ip),
  });
}

function networkMode(networks: readonly string[]): string | undefined {
  const [network, ...more] = new Set(networks);
  if (more.length > 0) throw new UsageError("a container can be connected to one network only", 125, true);
  return network === "default" ? "bridge" : given(network);
}

function storagePart(values: ContainerValues, parsers: OptionParsers, source: FileSource): Partial<ContainerSpec> {
  const convert = (name: "volume" | "mount" | "tmpfs", texts: readonly string[]) =>
    texts.map((text) => convertFlag(containerFlags, name, text, parsers[name]));
  const driver = values["log-driver"];
  const mounts = [
    ...convert("volume", values.volume),
    ...convert("mount", values.mount),
    ...convert("tmpfs", values.tmpfs),
  ];
  return compact<Partial<ContainerSpec>>({
    mounts: given(mounts),
    readonlyRootfs: given(values["read-only"]),
    shmSize: given(values["shm-size"]),
    devices: given(values.device.map((text) => convertFlag(containerFlags, "device", text, parsers.device))),
    deviceCgroupRules: given(values["device-cgroup-rule"]),
    securityOpt: given(values["security-opt"].map((text) => securityOption(text, source))),
    logDriver: logDriver(driver, values["log-opt"]),
    logOptions: given(values["log-opt"]),
  });
}

function logDriver(name: string, options: ContainerValues["log-opt"]): ContainerSpec["logDriver"] {
  if (name === "" || name === "json-file") return name === "" ? undefined : name;
  if (name !== "none") {
    throw new UsageError(`no log driver named '${name}': it must be json-file or none`, 125, true);
  }
  if (Object.keys(options).length > 0) throw new UsageError("invalid logging opts for driver none", 125, true);
  return name;
}

/** A seccomp profile's file is read here, so that its path means what it means to the caller. */
function securityOption(text: string, source: FileSource): string {
  const match = /^seccomp[=:](.+)$/s.exec(text);
  const value = match?.[1];
  if (value === undefined || value === "unconfined" || value === "builtin" || value.startsWith("{")) return text;
  return `seccomp=${new TextDecoder().decode(source.readFile(value))}`;
}

function isolationPart(values: ContainerValues, parsers: OptionParsers): Partial<ContainerSpec> {
  const cgroupns = values.cgroupns;
  return compact<Partial<ContainerSpec>>({
    privileged: given(values.privileged),
    capAdd: given(values["cap-add"]),
    capDrop: given(values["cap-drop"]),
    sysctls: given(values.sysctl),
    ulimits: given(values.ulimit.map((text) => convertFlag(containerFlags, "ulimit", text, parsers.ulimit))),
    pidMode: given(values.pid),
    ipcMode: given(values.ipc),
    utsMode: given(values.uts),
    cgroupnsMode: cgroupns === "host" || cgroupns === "private" ? cgroupns : undefined,
    cgroupParent: given(values["cgroup-parent"]),
    oomScoreAdj: given(values["oom-score-adj"]),
  });
}

function labels(values: ContainerValues, source: FileSource): Readonly<Record<string, string>> {
  const lines = values["label-file"].flatMap((path) => readKeyValueFile(path, source, false));
  const pairs = [...lines, ...values.label].map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? ([line, ""] as const) : ([line.slice(0, at), line.slice(at + 1)] as const);
  });
  return Object.fromEntries(pairs);
}
