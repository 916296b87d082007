import { openEngine } from "../engine/open.ts";
import { storePaths } from "../state/paths.ts";
import { nativeProgram } from "./assets.ts";
import type { CliEngine, GlobalOptions } from "./cli.ts";

/** The engine on a store; the one place where the command line puts its parts together. */
export async function openCliEngine({ root, runroot, snapshotter = "auto" }: GlobalOptions): Promise<CliEngine> {
  const paths = storePaths(root, runroot);
  return openEngine({ paths, native: nativeProgram(paths), layerForm: snapshotter });
}
