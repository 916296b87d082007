import { GalleyError } from "../errors.ts";

/** Signal numbers of x86, Arm and RISC-V (asm-generic/signal.h). */
export const signals = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

const aliases: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, LOST: 29, UNUSED: 31 };

/** The first real-time signal as user space sees it; the C library keeps 32 and 33 for itself. */
export const SIGRTMIN = 34;
export const SIGRTMAX = 64;

/**
 * The number of a signal given as `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3` or `SIGRTMAX-2`.
 * Throws `invalid_argument`, with docker's words, for anything else and for numbers outside 1 to 64.
 */
export function parseSignal(text: string): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : signalByName(text);
  if (number === undefined || number < 1 || number > SIGRTMAX) throw invalidSignal(text);
  return number;
}

function signalByName(text: string): number | undefined {
  const name = text.toUpperCase().replace(/^SIG/, "");
  const known: Readonly<Record<string, number>> = signals;
  if (Object.hasOwn(known, name)) return known[name];
  if (Object.hasOwn(aliases, name)) return aliases[name];
  return realTimeSignal(name);
}

function realTimeSignal(name: string): number | undefined {
  const match = /^(RTMIN(?:\+([0-9]{1,2}))?|RTMAX(?:-([0-9]{1,2}))?)$/.exec(name);
  if (match === null) return undefined;
  const number = name.startsWith("RTMIN") ? SIGRTMIN + Number(match[2] ?? 0) : SIGRTMAX - Number(match[3] ?? 0);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

function invalidSignal(text: string): GalleyError {
  return new GalleyError("invalid_argument", `invalid signal: ${text}`, {
    hint: "give a name such as TERM or SIGRTMIN+3, or a number from 1 to 64",
  });
}

/** `SIGKILL` for 9, `SIGRTMIN+3` for 37, the bare number where there is no name (32, 33 and out of range). */
export function signalName(number: number): string {
  const name = Object.entries(signals).find(([, value]) => value === number)?.[0];
  if (name !== undefined) return `SIG${name}`;
  if (number < SIGRTMIN || number > SIGRTMAX) return String(number);
  return number === SIGRTMIN ? "SIGRTMIN" : `SIGRTMIN+${number - SIGRTMIN}`;
}
