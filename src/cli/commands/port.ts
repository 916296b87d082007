import { GalleyError } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { hostAndPort } from "../format/ports.ts";

export const command = defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List port mappings or a specific mapping for the container",
  flags: {},
  args: { least: 1, most: 2 },
  async run({ cli, args: [name = "", wanted] }) {
    const from = wanted === undefined ? undefined : normalize(wanted);
    const { containers } = await cli.engine();
    const { network, state } = await containers.get(name);
    const ports = state === "running" || state === "paused" ? network.ports : [];
    const lines = ports
      .map((port) => ({
        from: `${port.containerPort}/${port.protocol}`,
        to: hostAndPort(port.hostAddress, port.hostPort),
      }))
      .filter((port) => from === undefined || port.from === from)
      .map((port) => (from === undefined ? `${port.from} -> ${port.to}` : port.to))
      .sort(new Intl.Collator("en", { numeric: true }).compare);
    if (wanted !== undefined && lines.length === 0) {
      throw new GalleyError("not_found", `no public port '${wanted}' published for ${name}`);
    }
    for (const line of lines) cli.out(`${line}\n`);
    return 0;
  },
});

/** A port without a protocol is TCP's. */
function normalize(text: string): string {
  const match = /^([0-9]{1,5})(?:\/([a-zA-Z]+))?$/.exec(text);
  if (match === null || Number(match[1]) > 65535) {
    throw new GalleyError("invalid_argument", `invalid port '${text}'`, {
      hint: "give PORT or PORT/PROTOCOL, as in 80/tcp",
    });
  }
  return `${Number(match[1])}/${(match[2] ?? "tcp").toLowerCase()}`;
}
