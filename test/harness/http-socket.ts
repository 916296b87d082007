import type { Socket } from "node:net";

/** One HTTP/1.1 request, its body complete. */
export interface Request {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Reads the one request of a connection (RFC 9112); undefined where it closed before. Chunked bodies are not read. */
export async function readRequest(socket: Socket): Promise<Request | undefined> {
  let received = Buffer.alloc(0);
  for await (const piece of piecesOf(socket)) {
    received = Buffer.concat([received, piece]);
    const end = received.indexOf("\r\n\r\n");
    if (end === -1) continue;
    const head = parseHead(received.subarray(0, end).toString("latin1"));
    const length = Number(head.headers.get("content-length") ?? 0);
    if (received.length >= end + 4 + length) return { ...head, body: new Uint8Array(received.subarray(end + 4)) };
  }
  return undefined;
}

/** What arrives on a socket, without closing it when the reader stops. */
async function* piecesOf(socket: Socket): AsyncGenerator<Buffer> {
  const queue: (Buffer | undefined)[] = [];
  let wake = () => {};
  const put = (piece: Buffer | undefined) => {
    queue.push(piece);
    wake();
  };
  socket.on("data", put).on("close", () => put(undefined));
  for (;;) {
    const piece = queue.shift();
    if (piece !== undefined) yield piece;
    else if (socket.destroyed) return;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

function parseHead(head: string): Omit<Request, "body"> {
  const [start = "", ...lines] = head.split("\r\n");
  const [method = "", path = ""] = start.split(" ");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  return { method, path, headers };
}

/** Writes the status line and headers; `content-length` is whatever the caller says. */
export function writeHead(socket: Socket, status: number, headers: Headers): Promise<void> {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return write(socket, Buffer.from(`HTTP/1.1 ${status} Status\r\nconnection: close\r\n${lines}\r\n`, "latin1"));
}

/** Resolves when the bytes were taken, or when the other side has gone, which is nothing that a server minds. */
export function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", resolve);
    socket.write(bytes, () => {
      socket.off("close", resolve);
      resolve();
    });
  });
}
