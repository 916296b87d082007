import type { FlagSet } from "../flags/flag.ts";
import { bool, bytes, cpus, int, list, map, string } from "../flags/kinds.ts";
import { variable } from "./environment.ts";
import { unsupportedFlags } from "./unsupported.ts";

/** The flags that `run` and `create` share, with docker's names, letters and words. */
export const containerFlags = {
  ...processFlags(),
  ...identityFlags(),
  ...securityFlags(),
  ...networkFlags(),
  ...storageFlags(),
  ...resourceFlags(),
  ...namespaceFlags(),
  ...unsupportedFlags(),
} satisfies FlagSet;

function processFlags() {
  return {
    attach: list({ short: "a", usage: "Attach to STDIN, STDOUT or STDERR" }, attachStream),
    entrypoint: string({ usage: "Overwrite the default ENTRYPOINT of the image" }),
    env: list({ short: "e", usage: "Set environment variables" }, variable),
    "env-file": list({ usage: "Read in a file of environment variables" }),
    "group-add": list({ usage: "Add additional groups to join" }),
    init: bool({ usage: "Run an init inside the container that forwards signals and reaps processes" }),
    interactive: bool({ short: "i", usage: "Keep STDIN open even if not attached" }),
    "no-healthcheck": bool({ usage: "Disable any container-specified HEALTHCHECK" }),
    "stop-signal": string({ usage: "Signal to stop the container" }),
    "stop-timeout": int({ usage: "Timeout (in seconds) to stop a container" }),
    tty: bool({ short: "t", usage: "Allocate a pseudo-TTY" }),
    user: string({ short: "u", usage: "Username or UID (format: <name|uid>[:<group|gid>])" }),
    workdir: string({ short: "w", usage: "Working directory inside the container" }),
  };
}

function identityFlags() {
  return {
    annotation: map({ usage: "Add an annotation to the container (passed through to the OCI runtime)" }),
    // docker once verified signatures unless told not to; there is nothing to turn off.
    "disable-content-trust": bool({ usage: "", initial: true, hidden: true }),
    "decryption-key": list({ usage: "Key to decrypt the image with (/path/to/key.pem[:pass=PASSWORD])" }),
    cidfile: string({ usage: "Write the container ID to the file" }),
    label: list({ short: "l", usage: "Set meta data on a container" }),
    "label-file": list({ usage: "Read in a line delimited file of labels" }),
    name: string({ usage: "Assign a name to the container" }),
    platform: string({ usage: "Set platform if the image is made for several (os/arch[/variant])" }),
    pull: string({ usage: 'Pull image before running ("always", "missing", "never")', initial: "missing" }, pullPolicy),
    plan: bool({ usage: "Print the system calls that would be made, and make none of them" }),
    quiet: bool({ short: "q", usage: "Suppress the pull output" }),
    restart: string({ usage: "Restart policy to apply when a container exits", initial: "no" }),
    rm: bool({
      usage: "Automatically remove the container and its associated anonymous volumes when it exits",
    }),
  };
}

function securityFlags() {
  return {
    "cap-add": list({ usage: "Add Linux capabilities" }),
    "cap-drop": list({ usage: "Drop Linux capabilities" }),
    privileged: bool({ usage: "Give extended privileges to this container" }),
    "read-only": bool({ usage: "Mount the container's root filesystem as read only" }),
    "security-opt": list({ usage: "Security Options" }),
    sysctl: map({ usage: "Sysctl options" }, keyValue),
  };
}

function networkFlags() {
  return {
    "add-host": list({ usage: "Add a custom host-to-IP mapping (host:ip)" }, extraHost),
    dns: list({ usage: "Set custom DNS servers" }, address),
    "dns-opt": list({ usage: "Set DNS options", aliasOf: "dns-option", hidden: true }),
    "dns-option": list({ usage: "Set DNS options" }),
    "dns-search": list({ usage: "Set custom DNS search domains" }),
    domainname: string({ usage: "Container NIS domain name" }),
    expose: list({ usage: "Expose a port or a range of ports" }),
    hostname: string({ short: "h", usage: "Container host name" }),
    ip: string({ type: "ip", usage: "IPv4 address (e.g., 172.30.100.104)" }, ipv4),
    "mac-address": string({ usage: "Container MAC address (e.g., 92:d0:c6:0a:29:33)" }, mac),
    net: list({ type: "network", usage: "", aliasOf: "network", hidden: true }),
    network: list({ type: "network", usage: "Connect a container to a network (bridge, none, host, container:ID)" }),
    publish: list({ short: "p", usage: "Publish a container's port(s) to the host" }),
    "publish-all": bool({ short: "P", usage: "Publish all exposed ports to random ports" }),
  };
}

function storageFlags() {
  return {
    device: list({ usage: "Add a host device to the container" }),
    "device-cgroup-rule": list({ usage: "Add a rule to the cgroup allowed devices list" }, cgroupRule),
    "log-driver": string({ usage: "Logging driver for the container (json-file, none)" }),
    "log-opt": map({ type: "list", usage: "Log driver options" }, keyValue),
    mount: list({ type: "mount", usage: "Attach a filesystem mount to the container" }),
    "shm-size": bytes({ usage: "Size of /dev/shm" }),
    tmpfs: list({ usage: "Mount a tmpfs directory" }),
    volume: list({ short: "v", usage: "Bind mount a volume" }),
  };
}

function resourceFlags() {
  return {
    "blkio-weight": int({
      type: "uint16",
      usage: "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
    }),
    "cgroup-parent": string({ usage: "Optional parent cgroup for the container" }),
    "cpu-period": int({ usage: "Limit CPU CFS (Completely Fair Scheduler) period" }),
    "cpu-quota": int({ usage: "Limit CPU CFS (Completely Fair Scheduler) quota" }),
    "cpu-shares": int({ short: "c", usage: "CPU shares (relative weight)" }),
    cpus: cpus({ usage: "Number of CPUs" }),
    "cpuset-cpus": string({ usage: "CPUs in which to allow execution (0-3, 0,1)" }),
    "cpuset-mems": string({ usage: "MEMs in which to allow execution (0-3, 0,1)" }),
    memory: bytes({ short: "m", usage: "Memory limit" }),
    "memory-reservation": bytes({ usage: "Memory soft limit" }),
    "memory-swap": bytes({
      usage: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
      unlimited: true,
    }),
    "memory-swappiness": int({ usage: "Tune container memory swappiness (0 to 100)", shownDefault: "-1" }),
    "oom-kill-disable": bool({ usage: "Disable OOM Killer" }),
    "oom-score-adj": int({ usage: "Tune host's OOM preferences (-1000 to 1000)" }),
    "pids-limit": int({ usage: "Tune container pids limit (set -1 for unlimited)" }),
    ulimit: list({ type: "ulimit", usage: "Ulimit options" }),
  };
}

function namespaceFlags() {
  return {
    cgroupns: string({ usage: "Cgroup namespace to use (host|private)" }, oneOf("host", "private")),
    ipc: string({ usage: "IPC mode to use" }),
    pid: string({ usage: "PID namespace to use" }),
    uts: string({ usage: "UTS namespace to use" }, oneOf("", "host")),
  };
}

function attachStream(text: string): string {
  const stream = text.toLowerCase();
  if (["stdin", "stdout", "stderr"].includes(stream)) return stream;
  throw new Error("valid streams are STDIN, STDOUT and STDERR");
}

function pullPolicy(text: string): void {
  if (["always", "missing", "never"].includes(text)) return;
  throw new Error(`it must be one of "always", "missing" or "never"`);
}

function keyValue(text: string): void {
  if (!/^[^=]+=/.test(text)) throw new Error("it takes key=value");
}

function address(text: string): string {
  if (ipVersion(text) === 0) throw new Error(`IP address is not correctly formatted: ${text}`);
  return text;
}

function ipv4(text: string): void {
  if (ipVersion(text) !== 4) throw new Error(`IPv4 address is not correctly formatted: ${text}`);
}

function mac(text: string): void {
  if (/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return;
  throw new Error(`${text} is not a valid mac address`);
}

function cgroupRule(text: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw new Error(`invalid device cgroup format '${text}': it takes 'type major:minor mode', as in 'c 1:3 rwm'`);
}

/** `host:address` or `host=address`; given back with a colon and without brackets. */
function extraHost(text: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(text);
  const [host, value] = [match?.[1], match?.[2]?.replace(/^\[(.*)\]$/, "$1")];
  if (host === undefined || value === undefined) throw new Error(`bad format for add-host: "${text}"`);
  if (value !== "host-gateway" && ipVersion(value) === 0) throw new Error(`invalid IP address in add-host: "${value}"`);
  return `${host}:${value}`;
}

function oneOf(...allowed: readonly string[]): (text: string) => void {
  return (text) => {
    if (!allowed.includes(text)) throw new Error(`it must be ${allowed.filter(Boolean).join(" or ")}`);
  };
}

/** 4, 6 or 0. The module behind it is slow to load, and most commands name no address. */
function ipVersion(text: string): number {
  return process.getBuiltinModule("node:net").isIP(text);
}
