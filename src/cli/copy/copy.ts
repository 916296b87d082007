import { posix } from "node:path";
import type { Containers, PathStatus } from "../../engine/types.ts";
import { GalleyError, toGalleyError } from "../../errors.ts";
import { standardInput } from "../terminal/input.ts";
import { standardOutput } from "../terminal/output.ts";
import { archiveLocal, extractLocal, localSource, localTarget } from "./local.ts";
import { type CopySource, type CopyTarget, endsAsDirectory, planCopy } from "./plan.ts";

export interface CopyFlags {
  readonly archive: boolean;
  readonly "follow-link": boolean;
}

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40;

interface InContainer {
  readonly container: string;
  readonly path: string;
}

/** Copies out of a container, to the host or as an archive to standard output. Resolves with the archive's bytes. */
export async function copyOut(
  containers: Containers,
  { container, path }: InContainer,
  to: string | undefined,
  flags: CopyFlags,
): Promise<number> {
  const target = to === undefined ? undefined : localTarget(to);
  const { status, path: real } = await sourceIn(containers, container, path, flags["follow-link"]);
  const source: CopySource = { path, directory: status.type === "directory", name: status.name };
  const plan = target === undefined ? undefined : planCopy(source, target);
  const counted = new Counted(await containers.archive(container, real));
  if (plan !== undefined) await extractLocal(plan, counted, flags.archive);
  else for await (const chunk of counted) await standardOutput(1).write(chunk);
  return counted.bytes;
}

/** Copies into a container, from the host or an archive on standard input. Resolves with the archive's bytes. */
export async function copyIn(
  containers: Containers,
  from: string | undefined,
  { container, path }: InContainer,
  flags: CopyFlags,
): Promise<number> {
  const target = await targetIn(containers, container, path);
  if (from === undefined) return extractInput(containers, container, target);
  const source = localSource(from, flags["follow-link"]);
  const { directory, rename } = planCopy(source, target);
  const counted = new Counted(archiveLocal(source.real, rename(source.name)));
  await containers.extract(container, directory, counted);
  return counted.bytes;
}

async function extractInput(containers: Containers, container: string, target: CopyTarget): Promise<number> {
  if (!target.directory) {
    throw new GalleyError("invalid_argument", `destination "${container}:${target.path}" must be a directory`);
  }
  const counted = new Counted(standardInput());
  await containers.extract(container, target.path, counted);
  return counted.bytes;
}

/** A link at the end is itself what is copied, unless it is to be followed or only a directory can be meant. */
async function sourceIn(
  containers: Containers,
  container: string,
  path: string,
  follow: boolean,
): Promise<{ readonly status: PathStatus; readonly path: string }> {
  let at = path;
  let status = await containers.stat(container, at);
  for (let links = 0; status.type === "symlink" && (follow || endsAsDirectory(path)) && links < LINKS_MAX; links++) {
    at = status.linkTarget;
    status = await containers.stat(container, at);
  }
  return { status, path: at };
}

/** What is not there is to be made; where its directory is missing too, unpacking says so. */
async function targetIn(
  containers: Containers,
  container: string,
  path: string,
  links = LINKS_MAX,
): Promise<CopyTarget> {
  const asked = posix.isAbsolute(path) ? path : `/${path}`;
  const status = await containers.stat(container, asked).catch((failure: unknown) => absent(failure, container));
  if (status === undefined) return { path: asked, exists: false, directory: false };
  if (status.type === "symlink" && links > 0) return targetIn(containers, container, status.linkTarget, links - 1);
  return { path: asked, exists: true, directory: status.type === "directory" };
}

function absent(failure: unknown, container: string): undefined {
  const error = toGalleyError(failure);
  if (error.code !== "not_found" || !error.message.endsWith(` in container ${container}`)) throw failure;
  return undefined;
}

/** A stream that knows how much went through it. */
class Counted {
  bytes = 0;

  constructor(private readonly source: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.source) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}
