import { familiarName, parseReference, withDefaultTag } from "../../image/reference.ts";
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
}

/** Pulls an image and shows it: bars on a terminal, lines elsewhere, then docker's `Digest:` and `Status:`. */
export async function pullImage(cli: Cli, images: Images, request: PullRequest): Promise<PullResult> {
  fullSpeed();
  const display = request.quiet ? undefined : await openDisplay(cli, request.stream);
  const result = await pull(images, request, display);
  if (!request.quiet) writer(cli, request.stream)(outcome(request.reference, result));
  return result;
}

async function pull(images: Images, request: PullRequest, display: PullDisplay | undefined): Promise<PullResult> {
  try {
    return await images.pull(request.reference, {
      ...(request.platform === "" ? {} : { platform: request.platform }),
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

function outcome(reference: string, { digest, changed }: PullResult): string {
  const name = taggedName(reference);
  const status = changed ? `Downloaded newer image for ${name}` : `Image is up to date for ${name}`;
  return `Digest: ${digest}\nStatus: ${status}\n`;
}

/** A reference as people write it, with its tag: `busybox:latest`. */
export function taggedName(reference: string): string {
  return familiarName(withDefaultTag(parseReference(reference)));
}
