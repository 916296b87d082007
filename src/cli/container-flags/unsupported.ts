import type { Flag } from "../flags/flag.ts";
import { UsageError } from "../usage-error.ts";

/** docker's flags that Galley knows and does not do, and what to do instead. Asking for them is an error, not silence. */
const reasons = {
  "blkio-weight-device": "",
  "cpu-count": "it is for Windows",
  "cpu-percent": "it is for Windows",
  "cpu-rt-period": "",
  "cpu-rt-runtime": "",
  "device-read-bps": "",
  "device-read-iops": "",
  "device-write-bps": "",
  "device-write-iops": "",
  gpus: "give the devices with --device",
  "health-cmd": "",
  "health-interval": "",
  "health-retries": "",
  "health-start-interval": "",
  "health-start-period": "",
  "health-timeout": "",
  "io-maxbandwidth": "it is for Windows",
  "io-maxiops": "it is for Windows",
  ip6: "networks are IPv4",
  isolation: "it is for Windows",
  "kernel-memory": "the kernel has no such limit any more",
  link: "give the address with --add-host",
  "link-local-ip": "",
  "net-alias": "it needs a user-defined network",
  "network-alias": "it needs a user-defined network",
  runtime: "",
  "storage-opt": "",
  "use-api-socket": "there is no daemon and no socket",
  userns: "",
  "volume-driver": "volumes are local directories",
  "volumes-from": "name the volumes with --volume",
} as const;

type Unsupported = Readonly<Record<keyof typeof reasons, Flag<undefined>>>;

/** A flag for each, out of sight in help, that fails when it is given. */
export function unsupportedFlags(): Unsupported {
  const entries = Object.entries(reasons).map(([name, reason]) => [name, unsupported(name, reason)]);
  return Object.fromEntries(entries) as Unsupported;
}

function unsupported(name: string, reason: string): Flag<undefined> {
  return {
    usage: "",
    type: "string",
    hidden: true,
    initial: undefined,
    set() {
      throw new UsageError(`--${name} is not supported${reason === "" ? "" : `: ${reason}`}`, 125, true);
    },
  };
}
