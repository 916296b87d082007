/** The readers of options that are a language of their own, one place for every face that takes them as text. */
export { parseUlimit } from "../../linux/rlimits.ts";
export { parseDevice } from "./device.ts";
export { parseMount } from "./mount.ts";
export { parseExpose } from "./ports.ts";
export { parsePublish } from "./publish.ts";
export { parseTmpfs } from "./tmpfs.ts";
export { parseVolume } from "./volume.ts";
