import { GalleyError } from "../../errors.ts";
import { parseByteSize } from "../options/size.ts";
import type { ContainerSpec } from "../types.ts";

/** How a container's log is kept, as the shim takes it: bytes, 0 for no end; files, the current one counted. */
export interface LogSettings {
  readonly maxSize: number;
  readonly maxFiles: number;
}

/** A log that is not bounded fills the disk some day. */
const defaults: LogSettings = { maxSize: 20_000_000, maxFiles: 5 };

/** docker's further options of the driver, and what of them is done: what would change the log's lines is not. */
const others = ["compress", "env", "env-regex", "labels", "labels-regex", "max-buffer-size", "mode", "tag"];
const harmless = new Set(["compress=false", "mode=blocking"]);

/** Reads `--log-opt`; undefined where no log is kept. Throws `invalid_argument` in docker's words. */
export function logSettings({ logDriver, logOptions = {} }: ContainerSpec): LogSettings | undefined {
  if (logDriver === "none") {
    if (Object.keys(logOptions).length === 0) return undefined;
    throw new GalleyError("invalid_argument", "invalid logging opts for driver none");
  }
  let settings = defaults;
  for (const [name, value] of Object.entries(logOptions)) {
    if (name === "max-size") settings = { ...settings, maxSize: maxSize(value) };
    else if (name === "max-file") settings = { ...settings, maxFiles: maxFiles(value) };
    else if (!harmless.has(`${name}=${value}`)) throw refused(name, value);
  }
  return settings;
}

function maxSize(text: string): number {
  if (text === "-1") return 0;
  const size = parseByteSize(text);
  if (size > 0) return size;
  throw new GalleyError("invalid_argument", "max-size must be a positive number", { hint: "-1 sets no limit" });
}

function maxFiles(text: string): number {
  if (!/^-?[0-9]{1,4}$/.test(text)) throw new GalleyError("invalid_argument", `invalid max-file: '${text}'`);
  if (Number(text) < 1) throw new GalleyError("invalid_argument", "max-file cannot be less than 1");
  return Number(text);
}

function refused(name: string, value: string): GalleyError {
  if (others.includes(name)) {
    return new GalleyError("unimplemented", `log opt '${name}=${value}' of the json-file log driver is not supported`);
  }
  return new GalleyError("invalid_argument", `unknown log opt '${name}' for json-file log driver`, {
    hint: "known are max-size and max-file",
  });
}
