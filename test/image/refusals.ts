import { copyImage } from "../../src/image/copy/copy.ts";
import { openSource } from "../../src/image/transports/open-place.ts";
import { parsePlace } from "../../src/image/transports/place-name.ts";
import type { TestImages } from "./test-images.ts";

/** Copies a place to the store; gives the failure as it is shown, or "it was accepted". */
export async function refusalOf(
  store: TestImages,
  from: string,
  { tag, daemonHost }: { readonly tag: string; readonly daemonHost?: string },
): Promise<string> {
  try {
    const source = await openSource(parsePlace(from), { daemonHost });
    try {
      const destination = await store.images.destination([tag]);
      try {
        await copyImage(source, destination);
      } finally {
        await destination.close();
      }
    } finally {
      await source.close();
    }
  } catch (failure) {
    return (failure as { describe?: () => string }).describe?.() ?? String(failure);
  }
  return "it was accepted";
}

/** What answers `GET /images/NAME/get` in a Docker daemon's place. */
export interface FakeDaemon {
  readonly host: string;
  /** How it answers from now on. */
  answers(answer: (request: Request) => Response): void;
  stop(): Promise<void>;
}

/** Starts one at the path of a socket. */
export function startFakeDaemon(unix: string): FakeDaemon {
  let current: (request: Request) => Response = () => new Response(null, { status: 404 });
  const server = Bun.serve({ unix, fetch: (request) => current(request) });
  return {
    host: `unix://${unix}`,
    answers: (answer) => {
      current = answer;
    },
    stop: () => server.stop(true),
  };
}
