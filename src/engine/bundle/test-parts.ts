/** What the tests of this folder share. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageExecConfig } from "../../spec/image.ts";
import type { RuntimeConfig } from "../../spec/runtime.ts";
import type { ContainerSpec } from "../types.ts";
import { type ConfigInput, makeConfig } from "./config.ts";
import { resolveProcess } from "./process.ts";

export const id = "0123456789ab".padEnd(64, "c");

/** A layer with passwd and group files, in a directory that goes with the fixture. */
export class Layer implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "bundle-"));

  constructor() {
    mkdirSync(join(this.path, "etc"));
    writeFileSync(join(this.path, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n");
    writeFileSync(join(this.path, "etc/group"), "root:x:0:\naudio:x:29:bob\nbob:x:1001:\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** The configuration of a specification, on version 1 of cgroups where `more` does not say otherwise. */
export function configOf(
  layer: Layer,
  asked: Partial<ContainerSpec> = {},
  image: ImageExecConfig = { Cmd: ["sh"] },
  more: Partial<ConfigInput> = {},
): Promise<RuntimeConfig> {
  const spec: ContainerSpec = { image: "busybox", ...asked };
  const resolved = resolveProcess(spec, image);
  return makeConfig({ id, spec, resolved, layers: [layer.path], cgroups: "v1", files: {}, ...more });
}
