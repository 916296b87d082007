import type { Home } from "../../runtime/oci/home.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "<container-id>",
  summary: "Execute the user defined process in a created container",
  flags: {},
  args: { least: 1, most: 1 },
  async run({ cli, root, native, args: [id = ""] }) {
    const { homeOf } = await import("../../runtime/oci/home.ts");
    await startNotifying(cli.env.NOTIFY_SOCKET, homeOf(root, id), native());
    return 0;
  },
});

/**
 * Starts a container. Where a service manager listens at `host`, it is told once the container is ready, and this waits for that.
 * @param main the service's main process; the container's where nothing is said
 */
export async function startNotifying(host = "", home: Home, native: string, main?: number): Promise<void> {
  const { startContainer } = await import("../../runtime/oci/start.ts");
  if (host === "") return startContainer(home, native);
  const { forwardReadiness, openNotifySocket } = await import("../../runtime/oci/notify.ts");
  const { storedState } = await import("../../runtime/oci/state.ts");
  const container = storedState(home);
  const socket = openNotifySocket(home);
  await startContainer(home, native);
  await forwardReadiness(socket, host, container, main ?? container.pid);
}
