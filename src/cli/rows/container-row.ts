import type { Container } from "../../engine/types.ts";
import { describePorts, type ListedPort } from "../format/ports.ts";
import { Methods, Nil } from "../format/template/values.ts";
import { goTime } from "../format/time.ts";
import { ago, humanSize } from "../format/units.ts";
import { describeStatus } from "./container-status.ts";
import { commandLine, ellipsis, joinLabels, quote, shortId } from "./text.ts";

/** docker's default table of `ps`. */
export const containerTable =
  "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

/** What docker calls `raw`. */
export const containerRaw = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

export const containerHeadings: Readonly<Record<string, string>> = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
};

export interface RowOptions {
  /** Shorten IDs, commands and mounts. */
  readonly truncate: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Bytes of what the container wrote and of its whole file system, for `--size`. */
  readonly sizeOf?: (container: Container) => { readonly written: number; readonly whole: number };
}

const MOUNT_WIDTH = 15;
const COMMAND_WIDTH = 20;

/** A container as templates of `ps` see it. */
export function containerRow(container: Container, options: RowOptions): Methods {
  const { truncate, now } = options;
  const cut = (text: string, width: number) => (truncate ? ellipsis(text, width) : text);
  const labels = container.spec.labels ?? {};
  const volumes = container.resolved.volumes;
  return new Methods("*formatter.ContainerContext", {
    ID: () => (truncate ? shortId(container.id) : container.id),
    Names: () => container.name,
    Image: () => imageName(container, truncate),
    Command: () => quote(cut(commandLine(container.resolved.path, container.resolved.args), COMMAND_WIDTH)),
    CreatedAt: () => goTime(container.created),
    RunningFor: () => ago(container.created, now),
    Ports: () => describePorts(listedPorts(container)),
    State: () => container.state,
    Status: () => describeStatus(container, now),
    Size: () => describeSize(container, options.sizeOf),
    Labels: () => joinLabels(labels),
    Label: (name) => labels[String(name)] ?? "",
    Mounts: () => volumes.map((volume) => cut(volume.name ?? volume.source, MOUNT_WIDTH)).join(","),
    LocalVolumes: () => String(volumes.filter((volume) => volume.type === "volume").length),
    Networks: () => container.network.mode,
    Platform: () => new Nil("pointer"),
  });
}

/** The name it was made from, without a digest; the ID where that is what it was made from. */
function imageName(container: Container, truncate: boolean): string {
  const name = container.spec.image;
  if (!truncate) return name;
  if (shortId(container.imageId).startsWith(name.slice(0, 12)) && /^[0-9a-f]+$/.test(name)) return name.slice(0, 12);
  if (name.startsWith("sha256:")) return shortId(name);
  return name.replace(/@[^@]*$/, "");
}

/** A container that does not run has no ports. */
export function listedPorts({ state, network, spec }: Container): readonly ListedPort[] {
  if (state !== "running" && state !== "paused") return [];
  const published = new Set(network.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const exposed = (spec.exposed ?? []).filter((port) => !published.has(port));
  return [...network.ports, ...exposed.map(exposedPort)];
}

function exposedPort(text: string): ListedPort {
  const [port, protocol = "tcp"] = text.split("/");
  return { containerPort: Number(port), protocol };
}

function describeSize(container: Container, sizeOf: RowOptions["sizeOf"]): string {
  if (sizeOf === undefined) return "0B";
  const { written, whole } = sizeOf(container);
  const own = humanSize(written, 3);
  return whole > 0 ? `${own} (virtual ${humanSize(whole, 3)})` : own;
}
