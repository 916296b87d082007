import { syscall } from "../../linux/sys/call.ts";
import { addressOf } from "../../linux/sys/libc.ts";

/** Rows and columns of characters. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

const TCGETS = 0x5401;
/** After all output was sent, which keeps what was written before in the mode that it was written for. */
const TCSETSW = 0x5403;
const TIOCGWINSZ = 0x5413;
/** struct termios of the kernel: four u32 of flags, the line discipline, 19 control characters (asm-generic/termbits.h). */
const TERMIOS_SIZE = 36;
const CONTROL_CHARACTERS = 17;
const VTIME = 5;
const VMIN = 6;
/** Flags that raw mode takes away: termios(3), cfmakeraw. */
const INPUT_FLAGS = 0x5eb;
const OUTPUT_FLAGS = 0x1;
const CONTROL_FLAGS = 0x130;
const LOCAL_FLAGS = 0x804b;
const CS8 = 0x30;
/** Place of the local flags, and the one that shows what is typed. */
const LOCAL_AT = 12;
const ECHO = 0x8;

function ioctl(descriptor: number, request: number, buffer: Uint8Array): void {
  syscall("ioctl", process.arch === "arm64" ? 29 : 16, descriptor, request, addressOf(buffer));
}

/** The settings of a terminal, as the kernel has them. Throws where the descriptor is none. */
export function terminalSettings(descriptor: number): Uint8Array {
  const settings = new Uint8Array(TERMIOS_SIZE);
  ioctl(descriptor, TCGETS, settings);
  return settings;
}

/** The settings without echo of what is typed, for passwords. */
export function silentSettings(settings: Uint8Array): Uint8Array {
  const silent = settings.slice();
  const view = new DataView(silent.buffer);
  view.setUint32(LOCAL_AT, view.getUint32(LOCAL_AT, true) & ~ECHO, true);
  return silent;
}

/** Puts settings into force that {@link terminalSettings} or {@link rawSettings} gave. */
export function setTerminal(descriptor: number, settings: Uint8Array): void {
  ioctl(descriptor, TCSETSW, settings);
}

/** The same terminal without echo, lines, signals and translation: every byte passes as it is, both ways. */
export function rawSettings(settings: Uint8Array): Uint8Array {
  const raw = settings.slice();
  const flags = new DataView(raw.buffer);
  const clear = (offset: number, mask: number) => flags.setUint32(offset, flags.getUint32(offset, true) & ~mask, true);
  clear(0, INPUT_FLAGS);
  clear(4, OUTPUT_FLAGS);
  clear(8, CONTROL_FLAGS);
  clear(12, LOCAL_FLAGS);
  flags.setUint32(8, flags.getUint32(8, true) | CS8, true);
  raw[CONTROL_CHARACTERS + VTIME] = 0;
  raw[CONTROL_CHARACTERS + VMIN] = 1;
  return raw;
}

/** The size of a terminal's window; undefined where there is none, or it says zero. */
export function windowSize(descriptor: number): WindowSize | undefined {
  const size = new Uint16Array(4);
  try {
    ioctl(descriptor, TIOCGWINSZ, new Uint8Array(size.buffer));
  } catch {
    return undefined;
  }
  const [rows = 0, columns = 0] = size;
  return rows === 0 || columns === 0 ? undefined : { rows, columns };
}
