import type { Attachment } from "../../engine/types.ts";
import { GalleyError } from "../../errors.ts";
import type { Cli } from "../cli.ts";
import { defaultDetachKeys, parseDetachKeys } from "../terminal/detach-keys.ts";
import { standardInput } from "../terminal/input.ts";
import { standardOutput } from "../terminal/output.ts";
import { runSession, type SessionEnd } from "../terminal/session.ts";
import { proxySignals } from "../terminal/signal-proxy.ts";
import { UsageError } from "../usage-error.ts";

/** Which standard streams are connected, and how. */
export interface AttachSettings {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The container's process has a terminal. */
  readonly tty: boolean;
  /** Pass this process's signals on. */
  readonly proxy: boolean;
  /** Bytes of the detach keys, from {@link detachKeys}. */
  readonly keys: Uint8Array;
  /** Let a full-screen program draw itself again, as somebody new is looking. */
  readonly redraw?: boolean;
}

type Size = { readonly rows: number; readonly columns: number };

/**
 * Stays with a container's process until it ends or is left. The terminal is raw in between and always restored.
 * @param connect makes the connection, given the size of our window where the process has a terminal
 */
export async function stayAttached(
  cli: Cli,
  settings: AttachSettings,
  connect: (size: Size | undefined) => Promise<Attachment>,
): Promise<SessionEnd> {
  const proxy = settings.proxy ? proxySignals(settings.tty) : undefined;
  try {
    const window = settings.tty ? await openWindow(cli) : undefined;
    const attachment = await connect(window?.size());
    proxy?.connect((signal) => void attachment.signal(signal).catch(() => {}));
    const release = await window?.hold(attachment, settings);
    try {
      return await runSession(attachment, sessionOptions(cli, settings));
    } finally {
      release?.();
    }
  } finally {
    proxy?.close();
  }
}

function sessionOptions(cli: Cli, settings: AttachSettings): Parameters<typeof runSession>[1] {
  if (settings.stdin) cli.leaveWhenDone();
  return {
    ...(settings.stdin ? { input: standardInput() } : {}),
    ...(settings.stdin && settings.tty ? { detachKeys: settings.keys } : {}),
    ...(settings.stdout ? { stdout: standardOutput(1) } : {}),
    ...(settings.stderr ? { stderr: standardOutput(2) } : {}),
  };
}

async function openWindow(cli: Cli) {
  const { containerWindow } = await import("../terminal/window.ts");
  return containerWindow({ input: cli.isTerminal(0), output: cli.isTerminal(1) });
}

/** The detach keys of the flag, else of docker's configuration file, else docker's own. Throws for keys that do not exist. */
export async function detachKeys(cli: Cli, flag: string, needed: boolean): Promise<Uint8Array> {
  if (flag !== "") return parseDetachKeys(flag);
  if (!needed) return new Uint8Array();
  const { dockerConfig } = await import("./docker-config.ts");
  return parseDetachKeys(dockerConfig(cli.env).detachKeys ?? defaultDetachKeys);
}

/** Refuses a terminal for the container where our input is none. */
export function requireTerminal(cli: Cli, stdin: boolean, tty: boolean): void {
  if (stdin && tty && !cli.isTerminal(0)) throw new UsageError("the input device is not a TTY", 1, true);
}

/** What a start or exec must give that was asked to be attached. */
export function requireAttachment(attachment: Attachment | undefined): Attachment {
  if (attachment !== undefined) return attachment;
  throw new GalleyError("internal", "the process was started without the connection that was asked for");
}
