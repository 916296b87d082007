import { expect, test } from "bun:test";
import { rawSettings } from "./termios.ts";

test("raw mode takes lines, echo, signals and translation away and leaves the rest", () => {
  const settings = new Uint8Array(36);
  const flags = new DataView(settings.buffer);
  // what a terminal starts with: BRKINT ICRNL IXON | OPOST ONLCR | 38400 CS8 CREAD | ISIG ICANON ECHO ECHOE ECHOK IEXTEN
  for (const [index, value] of [0x502, 0x5, 0xbf, 0x803b].entries()) flags.setUint32(index * 4, value, true);
  const raw = new DataView(rawSettings(settings).buffer);
  expect([0, 4, 8, 12].map((at) => raw.getUint32(at, true))).toEqual([0, 0x4, 0xbf, 0x30]);
  expect([raw.getUint8(17 + 5), raw.getUint8(17 + 6)]).toEqual([0, 1]);
});
