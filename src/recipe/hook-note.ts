/** What a failed `run_hook` or `map_ids` left to say: struct hook_note of native/actor.h. */
export interface HookNote {
  /** As wait4(2) gives it: 0 where the program could not be started. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const OUT = 12;
const ERR = OUT + 1024;

/** Reads a note; undefined where there are no bytes. */
export function parseHookNote(bytes: Uint8Array): HookNote | undefined {
  if (bytes.length < ERR) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, size: number): string => new TextDecoder().decode(bytes.subarray(from, from + size));
  return {
    status: view.getUint32(0, true),
    stdout: text(OUT, view.getUint32(4, true)),
    stderr: text(ERR, view.getUint32(8, true)),
  };
}
