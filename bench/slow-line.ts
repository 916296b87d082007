import type { Socket } from "bun";

/** Milliseconds that what is sent is under way, in either direction. */
const UNDER_WAY = 10;

/** What came in at one end, on its way to the other. */
class Way {
  readonly #waiting: Uint8Array[] = [];
  #ended = false;

  /** @param end the socket where it comes out, once there is one */
  constructor(public end?: Pick<Socket, "write" | "end">) {}

  send(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    setTimeout(() => {
      this.#waiting.push(copy);
      this.flush();
    }, UNDER_WAY);
  }

  close(): void {
    setTimeout(() => {
      this.#ended = true;
      this.flush();
    }, UNDER_WAY);
  }

  /** Hands over what has arrived, as far as the socket takes it. */
  flush(): void {
    const { end } = this;
    if (end === undefined) return;
    for (let chunk = this.#waiting[0]; chunk !== undefined; chunk = this.#waiting[0]) {
      const taken = Math.max(0, end.write(chunk));
      if (taken < chunk.length) {
        this.#waiting[0] = chunk.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
    if (this.#ended) end.end();
  }
}

interface Ways {
  readonly there: Way;
  readonly back: Way;
}

/**
 * A port of this machine that leads to another over a line of twenty milliseconds there and back, as wide as this machine: between a
 * registry and those who use it lies one more often than not, and how often they ask counts there.
 */
export function slowLine(port: number): { readonly host: string } & Disposable {
  const listener = Bun.listen<Ways>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(near) {
        near.data = { there: new Way(), back: new Way(near) };
        setTimeout(() => void connect(port, near.data), UNDER_WAY);
      },
      data: ({ data }, bytes) => data.there.send(bytes),
      drain: ({ data }) => data.back.flush(),
      close: ({ data }) => data.there.close(),
    },
  });
  return { host: `127.0.0.1:${listener.port}`, [Symbol.dispose]: () => listener.stop(true) };
}

async function connect(port: number, { there, back }: Ways): Promise<void> {
  there.end = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_far, bytes) => back.send(bytes),
      drain: () => there.flush(),
      close: () => back.close(),
    },
  });
  there.flush();
}
