/** Help and version are the whole program's words: in the place of ../cli/runtime/help.ts and version.ts. */
import { handOver } from "./hand-over.ts";

export const runtimeVersion = (): string => handOver("version");

export const overview = async (): Promise<string> => handOver("help");

export const helpOf = (): string => handOver("help");
