import { bool, int, string } from "../flags/kinds.ts";
import { UsageError } from "../usage-error.ts";
import { defineRuntimeCommand } from "./command.ts";
import { criuFlags, criuFlagsOf } from "./criu-flags.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Checkpoint a running container",
  flags: {
    ...criuFlags,
    "parent-path": string({ usage: "Path of an earlier pre-dump, relative to the image path" }),
    "leave-running": bool({ usage: "Leave the process running after checkpointing" }),
    "tcp-skip-in-flight": bool({ usage: "Skip TCP connections that are being made" }),
    "link-remap": bool({ usage: "Allow to link unlinked files back where possible" }),
    "page-server": string({ usage: "ADDRESS:PORT of the page server" }),
    "pre-dump": bool({ usage: "Dump the memory alone, and leave the container running" }),
    "status-fd": int({ usage: "Descriptor that gets a NUL once lazy pages can be asked for" }),
  },
  args: { least: 1, most: 1 },
  async run({ root, native, flags, args: [id = ""] }) {
    const { homeOf } = await import("../../runtime/oci/home.ts");
    const { checkpointContainer } = await import("../../runtime/oci/checkpoint.ts");
    const server = pageServer(flags["page-server"]);
    const statusFd = flags["status-fd"];
    await checkpointContainer(homeOf(root, id), {
      ...criuFlagsOf(flags),
      native: native(),
      parentPath: flags["parent-path"],
      leaveRunning: flags["leave-running"],
      preDump: flags["pre-dump"],
      tcpSkipInFlight: flags["tcp-skip-in-flight"],
      linkRemap: flags["link-remap"],
      ...(server === undefined ? {} : { pageServer: server }),
      ...(statusFd === undefined || statusFd < 0 ? {} : { statusFd }),
    });
    return 0;
  },
});

function pageServer(text: string): { address: string; port: number } | undefined {
  if (text === "") return undefined;
  const [, address = "", port = ""] = /^(.*):([^:]*)$/.exec(text) ?? [];
  if (address === "" || port === "")
    throw new UsageError("Use --page-server ADDRESS:PORT to specify page server", 1, true);
  if (!/^\d{1,5}$/.test(port)) throw new UsageError("Invalid port number", 1, true);
  return { address: address.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
