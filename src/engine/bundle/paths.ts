/** What is hidden from a container of the host's /proc and /sys, and what it may only read: docker's lists. */
import { existsSync, readdirSync } from "node:fs";

const masked = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

export const readonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const CPUS = "/sys/devices/system/cpu";

/** Intel processors tell how hot they get for each core, which a side channel can be made of. */
export function maskedPaths(): readonly string[] {
  if (!existsSync(`${CPUS}/cpu0/thermal_throttle`)) return masked;
  const cores = readdirSync(CPUS).filter((name) => /^cpu[0-9]+$/.test(name));
  return [...masked, ...cores.map((name) => `${CPUS}/${name}/thermal_throttle`)];
}
