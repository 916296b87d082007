import { GalleyError, toGalleyError } from "../../errors.ts";
import type { KeyOpener } from "../../image/copy/encryption/key-wrap.ts";
import { canonicalName, familiarName, parseReference, type Reference, withDefaultTag } from "../../image/reference.ts";
import { type Candidates, isShortName, keepAlias, resolveName } from "../../image/registries/short-names.ts";
import type { RegistryOptions } from "../../image/transports/registry/clients.ts";
import type { Images, PullResult } from "../../image/types.ts";
import type { Cli } from "../cli.ts";
import { fullSpeed } from "../full-speed.ts";
import type { PullDisplay } from "../progress/pull-display.ts";

export interface PullRequest {
  readonly reference: string;
  /** Empty: the host's. */
  readonly platform: string;
  /** Show nothing at all. */
  readonly quiet: boolean;
  /** Where progress and the outcome are shown. */
  readonly stream: 1 | 2;
  /** How the registry is reached; default: as the user's files say. */
  readonly registry?: RegistryOptions;
  /** Open encrypted layers. */
  readonly decryption?: readonly KeyOpener[] | undefined;
  /** One of many: its digest is told, what came of it is not. */
  readonly one?: boolean;
}

/**
 * Pulls an image and shows it: bars on a terminal, lines elsewhere, then docker's `Digest:` and `Status:`. A short name may stand for several
 * images; the first that can be pulled is it.
 */
export async function pullImage(cli: Cli, images: Images, request: PullRequest): Promise<PullResult> {
  fullSpeed();
  if (!isShortName(request.reference)) return pullOne(cli, images, request);
  const candidates = resolveName(request.reference, cli.env, cli.isTerminal(0) && cli.isTerminal(1));
  if (candidates.note !== undefined && !request.quiet) cli.err(`${candidates.note}\n`);
  const { references } = candidates.choose ? await chosen(cli, request.reference, candidates) : candidates;
  const failures: unknown[] = [];
  for (const reference of references) {
    try {
      return await pullOne(cli, images, { ...request, reference: familiarName(reference) });
    } catch (failure) {
      if (references.length === 1) throw failure;
      failures.push(failure);
    }
  }
  throw allFailed(request.reference, failures);
}

async function chosen(
  cli: Cli,
  text: string,
  { references }: Candidates,
): Promise<{ references: readonly Reference[] }> {
  const { Answers } = await import("../places/ask.ts");
  const rows = references.map((reference, position) => `  ${position + 1}: ${canonicalName(reference)}\n`).join("");
  const answer = await new Answers(cli).line(`${rows}Please select an image: `);
  const reference = references[Number(answer.trim()) - 1];
  if (reference === undefined) throw new GalleyError("invalid_argument", "none of them was chosen", { subject: text });
  keepAlias(text, reference, cli.env);
  return { references: [reference] };
}

function allFailed(text: string, failures: readonly unknown[]): GalleyError {
  const lines = failures.map((failure) => `\n * ${toGalleyError(failure).describe()}`).join("");
  return new GalleyError(
    toGalleyError(failures.at(-1)).code,
    `${failures.length} errors occurred while pulling:${lines}`,
    {
      op: "pull",
      subject: text,
    },
  );
}

async function pullOne(cli: Cli, images: Images, request: PullRequest): Promise<PullResult> {
  const display = request.quiet ? undefined : await openDisplay(cli, request.stream);
  const result = await pull(images, request, display);
  if (!request.quiet) writer(cli, request.stream)(outcome(request, result));
  return result;
}

async function pull(images: Images, request: PullRequest, display: PullDisplay | undefined): Promise<PullResult> {
  try {
    return await images.pull(request.reference, {
      ...(request.platform === "" ? {} : { platform: request.platform }),
      ...(request.registry === undefined ? {} : { registry: request.registry }),
      decryption: request.decryption,
      ...(display === undefined ? {} : { onProgress: (event) => display.event(event) }),
    });
  } finally {
    display?.close();
  }
}

async function openDisplay(cli: Cli, stream: 1 | 2): Promise<PullDisplay> {
  const { liveDisplay, plainDisplay } = await import("../progress/pull-display.ts");
  const write = writer(cli, stream);
  if (!cli.isTerminal(stream)) return plainDisplay(write);
  const { windowSize } = await import("../terminal/termios.ts");
  return liveDisplay({ write, size: () => windowSize(stream) });
}

function writer(cli: Cli, stream: 1 | 2): (text: string) => void {
  return (text) => (stream === 1 ? cli.out(text) : cli.err(text));
}

function outcome({ reference, one }: PullRequest, { digest, changed }: PullResult): string {
  return `Digest: ${digest}\n${one === true ? "" : statusLine(taggedName(reference), changed)}`;
}

/** docker's last word on what was pulled. */
export function statusLine(name: string, changed: boolean): string {
  return `Status: ${changed ? "Downloaded newer image" : "Image is up to date"} for ${name}\n`;
}

/** A reference as people write it, with its tag: `busybox:latest`. */
export function taggedName(reference: string): string {
  return familiarName(withDefaultTag(parseReference(reference)));
}
