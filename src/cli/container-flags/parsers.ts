import {
  parseDevice,
  parseExpose,
  parseMount,
  parsePublish,
  parseTmpfs,
  parseUlimit,
  parseVolume,
} from "../../engine/options/parsers.ts";
import type { OptionParsers } from "./spec.ts";

/** The engine's readers of textual options. */
export function engineParsers(): OptionParsers {
  return {
    volume: parseVolume,
    mount: parseMount,
    tmpfs: parseTmpfs,
    device: parseDevice,
    ulimit: parseUlimit,
    publish: parsePublish,
    expose: parseExpose,
  };
}
