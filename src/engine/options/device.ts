import type { DeviceRequest } from "../types.ts";
import { invalidOption } from "./invalid.ts";

/**
 * Reads `--device`: `HOST[:CONTAINER][:ACCESS]`, access being some of `rwm`, by default all. Whether the host has the device is for
 * the start to see. Throws `invalid_argument`.
 */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(":");
  if (parts.length > 3) throw invalidOption(`bad format for path: ${text}`, "write HOST[:CONTAINER][:ACCESS]");
  const [hostPath = "", second, third] = parts;
  const secondIsAccess = third === undefined && second !== undefined && isAccess(second);
  const access = third ?? (secondIsAccess ? second : undefined) ?? "rwm";
  const containerPath = second === undefined || secondIsAccess ? hostPath : second;
  for (const path of [hostPath, containerPath]) {
    if (!path.startsWith("/")) throw invalidOption(`${path} is not an absolute path`);
  }
  if (!isAccess(access)) throw invalidOption(`bad mode specified: ${access}`, "give some of the letters r, w and m");
  return { hostPath, containerPath, access };
}

function isAccess(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}
