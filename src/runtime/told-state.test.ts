import { expect, test } from "bun:test";
import { PID_ROOM, pidPlaces } from "./told-state.ts";

const NOWHERE = 0xffff_ffff;

test("a pid has its room where it is missing, counted in bytes", () => {
  const { message, places } = pidPlaces(JSON.stringify({ ü: PID_ROOM, b: { pid: PID_ROOM } }));
  const text = new TextDecoder().decode(message);
  expect(text).toBe(`{"ü":${" ".repeat(10)},"b":{"pid":${" ".repeat(10)}}}`);
  for (const place of places) message.set(new TextEncoder().encode("4711"), place);
  expect(JSON.parse(new TextDecoder().decode(message))).toEqual({ ü: 4711, b: { pid: 4711 } });
});

test("a text without a missing pid has no place for one", () => {
  expect(pidPlaces(JSON.stringify({ pid: 12 })).places).toEqual([NOWHERE, NOWHERE]);
  expect(pidPlaces(JSON.stringify([PID_ROOM])).places).toEqual([1, NOWHERE]);
  expect(() => pidPlaces(JSON.stringify([PID_ROOM, PID_ROOM, PID_ROOM]))).toThrow("more than two pids");
});
