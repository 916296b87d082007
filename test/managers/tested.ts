/** What the tests of managers drive: the built executable as a runtime, and an archive of the busybox that comes with it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { missing } from "../harness/requirements.ts";
import { Scratch } from "../native/program.ts";

const home = join(import.meta.dir, "../..");
/** Milliseconds for a manager's whole script; a minute on an idle machine. */
export const SCRIPT_TIMEOUT = 10 * 60_000;

export type ManagerName = "podman" | "docker" | "containerd";

/** What Debian's packages of a manager bring. */
const programs: Readonly<Record<ManagerName, readonly string[]>> = {
  podman: ["podman", "conmon", "catatonit"],
  docker: ["dockerd", "docker", "docker-init", "containerd"],
  containerd: ["containerd", "ctr", "containerd-shim-runc-v2", "script"],
};

/** Why a manager cannot be tried here; undefined where it can. */
export function lackOf(manager: ManagerName): string | undefined {
  const needs = { root: true, commands: [...programs[manager], "runc", "unshare"], paths: ["/bin/busybox"] };
  return missing(needs);
}

/** Gone with its scope. */
export class Tested implements Disposable {
  readonly folder = new Scratch();
  /** Built beside the program. */
  readonly runtime = this.folder.at("bin/galley-runtime");
  readonly archive = this.folder.at("busybox.tar");

  constructor() {
    mkdirSync(this.folder.at("bin"));
    const program = this.folder.at("bin/galley");
    ran([process.execPath, "run", join(home, "scripts/build.ts"), program]);
    const galley = [program, "--root", this.folder.at("store"), "--runroot", this.folder.at("run")];
    ran([...galley, "create", "--name", "made", "--network", "none", "busybox"]);
    ran([...galley, "save", "--output", this.archive, "busybox"]);
    // A layer is mounted for as long as it is kept.
    ran([...galley, "rm", "made"]);
    ran([...galley, "rmi", "busybox"]);
  }

  /** Runs the manager's script with a runtime, in namespaces that end with it; what it printed. */
  async script(manager: ManagerName, runtime: string): Promise<string> {
    const words = ["sh", join(home, "test/conformance/private.sh"), manager, runtime, this.archive];
    const child = Bun.spawn(words, { stdio: ["ignore", "pipe", "pipe"], timeout: SCRIPT_TIMEOUT - 10_000 });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const status = await child.exited;
    if (status !== 0) throw new Error(`${words.join(" ")}: ${child.signalCode ?? status}\n${out}\n${err}`);
    return out;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

function ran(words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(words, { stdio: ["ignore", "ignore", "pipe"] });
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: exit status ${exitCode}\n${stderr}`);
}
