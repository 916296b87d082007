import type { Parts } from "./lifecycle/parts.ts";
import { reconcile } from "./lifecycle/reconcile.ts";
import type {
  Attachment,
  CommitOptions,
  Container,
  ContainerFilters,
  ContainerSpec,
  Containers,
  CreateOptions,
  ExecSpec,
  LogLine,
  LogOptions,
  StartOptions,
} from "./types.ts";

/** The containers of a store. Each kind of work is loaded when it is first asked for. */
export class StoredContainers implements Containers {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(spec: ContainerSpec, options?: CreateOptions) {
    return (await import("./lifecycle/create.ts")).createContainer(this.#parts, spec, options);
  }

  async start(container: string, options?: StartOptions): Promise<Attachment | undefined> {
    return (await import("./lifecycle/start.ts")).startContainer(this.#parts, container, options);
  }

  async plan(spec: ContainerSpec) {
    return (await import("./lifecycle/plan.ts")).planContainer(this.#parts, spec);
  }

  async explain(container: string) {
    await reconcile(this.#parts);
    return (await import("./lifecycle/explain.ts")).explainContainer(this.#parts, container);
  }

  async attach(container: string, options: { readonly stdin: boolean; readonly output: boolean }): Promise<Attachment> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/attach.ts")).attachTo(this.#parts, container, options);
  }

  async exec(container: string, spec: ExecSpec): Promise<Attachment | undefined> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/exec.ts")).execIn(this.#parts, container, spec);
  }

  async stop(container: string, options?: { readonly timeout?: number; readonly signal?: string }): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/stop.ts")).stopContainer(this.#parts, container, options);
  }

  async kill(container: string, signal?: string): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/stop.ts")).killContainer(this.#parts, container, signal);
  }

  async restart(container: string, options?: { readonly timeout?: number; readonly signal?: string }): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/restart.ts")).restartContainer(this.#parts, container, options);
  }

  async pause(container: string): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/pause.ts")).pauseContainer(this.#parts, container);
  }

  async unpause(container: string): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/pause.ts")).unpauseContainer(this.#parts, container);
  }

  async wait(container: string, condition: "not-running" | "next-exit" | "removed" = "not-running"): Promise<number> {
    return (await import("./lifecycle/wait.ts")).waitFor(this.#parts, container, condition);
  }

  async remove(container: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void> {
    return (await import("./lifecycle/remove.ts")).removeContainer(this.#parts, container, options);
  }

  async rename(container: string, name: string): Promise<void> {
    await reconcile(this.#parts);
    (await import("./lifecycle/rename.ts")).renameContainer(this.#parts, container, name);
  }

  async list(filters?: ContainerFilters): Promise<readonly Container[]> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/look.ts")).listContainers(this.#parts, filters);
  }

  async get(container: string): Promise<Container> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/look.ts")).getContainer(this.#parts, container);
  }

  async inspect(container: string, options?: { readonly size?: boolean }): Promise<Record<string, unknown>> {
    await reconcile(this.#parts);
    return (await import("./lifecycle/look.ts")).inspectContainerOf(this.#parts, container, options);
  }

  async *logs(container: string, options?: LogOptions): AsyncGenerator<LogLine> {
    await reconcile(this.#parts);
    yield* (await import("./lifecycle/look.ts")).logsOf(this.#parts, container, options);
  }

  async top(container: string, psArgs?: readonly string[]) {
    await reconcile(this.#parts);
    return (await import("./lifecycle/look.ts")).topOfContainer(this.#parts, container, psArgs);
  }

  async *export(container: string): AsyncGenerator<Uint8Array> {
    await reconcile(this.#parts);
    yield* (await import("./files/export.ts")).exportContainer(this.#parts, container);
  }

  async diff(container: string) {
    await reconcile(this.#parts);
    return (await import("./files/diff.ts")).diffContainer(this.#parts, container);
  }

  async commit(container: string, options?: CommitOptions): Promise<string> {
    await reconcile(this.#parts);
    return (await import("./files/commit.ts")).commitContainer(this.#parts, container, options);
  }

  async stat(container: string, path: string) {
    await reconcile(this.#parts);
    return (await import("./files/archive.ts")).statIn(this.#parts, container, path);
  }

  async archive(container: string, path: string) {
    await reconcile(this.#parts);
    return (await import("./files/archive.ts")).archiveOf(this.#parts, container, path);
  }

  async extract(container: string, path: string, tar: AsyncIterable<Uint8Array>): Promise<void> {
    await reconcile(this.#parts);
    return (await import("./files/extract.ts")).extractInto(this.#parts, container, path, tar);
  }
}
