import type { ImageExecConfig } from "../../spec/image.ts";
import { parseExpose } from "../options/ports.ts";
import type { ContainerSpec, PortRequest } from "../types.ts";

/** The specification with the labels and exposed ports of the image, as lists and `inspect` show them. */
export function inheritImage(spec: ContainerSpec, image: ImageExecConfig = {}): ContainerSpec {
  const labels = { ...image.Labels, ...spec.labels };
  const exposed = new Set([...imagePorts(image), ...(spec.exposed ?? [])]);
  return {
    ...spec,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(exposed.size === 0 ? {} : { exposed: [...exposed] }),
  };
}

/** An image that exposes what is no port does not keep a container from being made. */
function imagePorts({ ExposedPorts }: ImageExecConfig): readonly string[] {
  return Object.keys(ExposedPorts ?? {}).flatMap((text) => {
    try {
      return parseExpose(text);
    } catch {
      return [];
    }
  });
}

/** What is to be published: the ports asked for, and with `--publish-all` every other exposed one, on a port of the host's choice. */
export function publishedPorts({ ports = [], exposed = [], publishAll }: ContainerSpec): readonly PortRequest[] {
  if (publishAll !== true) return ports;
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const others = exposed.filter((port) => !published.has(port)).map(exposedPort);
  return [...ports, ...others];
}

function exposedPort(text: string): PortRequest {
  const [port = "", protocol] = text.split("/");
  return { containerPort: Number(port), protocol: protocol === "udp" || protocol === "sctp" ? protocol : "tcp" };
}
