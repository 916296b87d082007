/** An engine on a store in a temporary directory, with the embedded image. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxBinary } from "../../src/cli/assets.ts";
import { type Engine, openEngine } from "../../src/engine/open.ts";
import type { Attachment, ContainerSpec } from "../../src/engine/types.ts";
import { ensureEmbedded } from "../../src/image/embedded/embedded.ts";
import { type StorePaths, storePaths } from "../../src/state/paths.ts";
import { leftoversBelow, removeLeftovers } from "../harness/leftovers.ts";
import { native } from "../native/program.ts";

/** What a process wrote, and how it ended; no code where its connection ended without one. */
export interface Seen {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | undefined;
}

/** Reads an attachment to its end. */
export async function readAll(attachment: Attachment | undefined): Promise<Seen> {
  if (attachment === undefined) throw new Error("there is no attachment");
  const chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  let code: number | undefined;
  for await (const event of attachment.events) {
    if (event.kind === "exit") code = event.code;
    else chunks[event.stream].push(event.data);
  }
  return { stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString(), code };
}

export class Lab implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), "ge-"));
  readonly paths: StorePaths = storePaths(join(this.base, "root"), join(this.base, "run"));
  readonly engine: Engine = openEngine({ paths: this.paths, native: native() });

  static async open(): Promise<Lab> {
    const lab = new Lab();
    await ensureEmbedded("busybox", lab.engine.images, () => busyboxBinary());
    return lab;
  }

  get containers() {
    return this.engine.containers;
  }

  /** Another process's engine, as far as the store is concerned. */
  other(): Engine {
    return openEngine({ paths: this.paths, native: native() });
  }

  /** A specification of a shell script without a network. */
  script(text: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
    return { image: "busybox", command: ["sh", "-c", text], network: "none", ...more };
  }

  async create(text: string, more: Partial<ContainerSpec> = {}): Promise<string> {
    return (await this.containers.create(this.script(text, more))).id;
  }

  async start(text: string, more: Partial<ContainerSpec> = {}): Promise<string> {
    const id = await this.create(text, more);
    await this.containers.start(id);
    return id;
  }

  /** Runs a script to its end, attached. */
  async run(text: string, more: Partial<ContainerSpec> = {}): Promise<Seen & { readonly id: string }> {
    const id = await this.create(text, more);
    const attach = { stdin: more.openStdin === true, output: true };
    return { id, ...(await readAll(await this.containers.start(id, { attach }))) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = await this.containers.list({ all: true });
    await Promise.all(all.map(({ id }) => this.containers.remove(id, { force: true, volumes: true })));
    const left = leftoversBelow([this.base]);
    await removeLeftovers([this.base]);
    rmSync(this.base, { recursive: true, force: true });
    if (left.processes.length + left.mounts.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
  }
}
