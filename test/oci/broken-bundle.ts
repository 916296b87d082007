/** A bundle that is broken in one way, and what a machine must not have of it afterwards. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { detectCgroups } from "../../src/linux/cgroups/detect.ts";
import { leftoversBelow } from "../harness/leftovers.ts";
import { OciBundle } from "./oci-bundle.ts";

// biome-ignore lint/suspicious/noExplicitAny: a configuration that is to be broken has any values
export type Broken = any;

/** Changes files of the bundle, by their paths in it. */
export interface Files {
  readonly write: (path: string, content: string, mode?: number) => void;
  readonly link: (path: string, target: string) => void;
  readonly remove: (path: string) => void;
  readonly at: (path: string) => string;
}

/** How it is broken; what is said, with BUNDLE for its directory and ID for the container's; and where it is to be tried. */
export type Break = readonly [
  what: string,
  change: (config: Broken, files: Files) => unknown,
  said: string,
  where?: "v1" | "create",
];

/** The container's namespace of a type. */
export function only(linux: Broken, type: string): Broken {
  return linux.namespaces.find((one: Broken) => one.type === type);
}

/** A good bundle of a container that would say so if it were run. */
export class BrokenBundle extends OciBundle {
  constructor(change: Break[1]) {
    super("echo ran; exit 9", { root: { path: "rootfs" } });
    const file = `${this.path}/config.json`;
    const config = structuredClone(this.config) as Broken;
    const at = (path: string): string => `${this.path}/${path}`;
    const put = (path: string): string => {
      mkdirSync(dirname(at(path)), { recursive: true });
      return at(path);
    };
    let written = false;
    change(config, {
      at,
      remove: (path) => {
        rmSync(at(path), { recursive: true });
        written ||= path === "config.json";
      },
      link: (path, target) => symlinkSync(target, put(path)),
      write: (path, content, mode = 0o644) => {
        writeFileSync(put(path), content);
        chmodSync(at(path), mode);
        written ||= path === "config.json";
      },
    });
    if (!written) writeFileSync(file, JSON.stringify(config));
  }

  /** The message, with the bundle's names replaced, and the number of steps, which is nobody's business. */
  said(stderr: string): string {
    const text = stderr.trim().replace(/\d+ steps/, "MANY steps");
    return text.replaceAll(this.path, "BUNDLE").replaceAll(this.id, "ID").replaceAll(this.root, "STATE");
  }

  /** What of it is still there: state, temporary files, mounts, processes, cgroups. */
  leftovers(): readonly string[] {
    const { processes, mounts } = leftoversBelow([this.folder.path]);
    const { v1, v2 } = detectCgroups();
    const cgroups = [...v1, ...(v2 === undefined ? [] : [v2])].map(({ mountPoint }) => `${mountPoint}/${this.id}`);
    return [...this.files(), ...mounts, ...processes, ...cgroups.filter(existsSync)];
  }

  /** State and temporary files alone. */
  files(): readonly string[] {
    return [...(existsSync(this.root) ? readdirSync(this.root) : []), ...readdirSync(this.temporary)];
  }
}
