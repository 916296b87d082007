import { GalleyError } from "../errors.ts";
import type { CliEngine, GlobalOptions } from "./cli.ts";

/** The engine on a store; the one place where the command line puts its parts together. */
export async function openCliEngine(options: GlobalOptions): Promise<CliEngine> {
  throw new GalleyError("unimplemented", "no engine", { subject: options.root });
}
