import { expect, test } from "bun:test";
import type { DeviceRule } from "../../spec/runtime.ts";
import {
  allowAllDevices,
  containerDevicePolicy,
  type DevicePolicy,
  devicePolicy,
  permits,
} from "../cgroups/device-rules.ts";
import { deviceFilter } from "./device-filter.ts";

/** Runs a program as the kernel would, for the opcodes that a device filter may have; anything else is an error. */
function run(program: Uint8Array, context: readonly number[]): number {
  const view = new DataView(program.buffer);
  const registers = new Uint32Array(11);
  for (let at = 0; at < program.length; at += 8) {
    const to = view.getUint8(at + 1) & 0xf;
    const from = view.getUint8(at + 1) >> 4;
    const offset = view.getInt16(at + 2, true);
    const value = view.getInt32(at + 4, true) >>> 0;
    const code = view.getUint8(at);
    if (code === 0x61) registers[to] = context[offset / 4]!;
    else if (code === 0xb4) registers[to] = value;
    else if (code === 0xbc) registers[to] = registers[from]!;
    else if (code === 0x54) registers[to]! &= value;
    else if (code === 0x74) registers[to]! >>>= value;
    else if (code === 0x16) at += registers[to] === value ? offset * 8 : 0;
    else if (code === 0x56) at += registers[to] === value ? 0 : offset * 8;
    else if (code === 0x95) return registers[0]!;
    else throw new Error(`unexpected opcode ${code}`);
  }
  throw new Error("ran off the end");
}

const allBut = (rule: DeviceRule): DevicePolicy => devicePolicy([...allowAllDevices, rule]);
const policies: Readonly<Record<string, DevicePolicy>> = {
  "nothing allowed": devicePolicy([]),
  "the defaults": containerDevicePolicy([{ allow: false, access: "rwm" }]),
  everything: devicePolicy(allowAllDevices),
  "all but some": allBut({ allow: false, type: "c", major: 1, minor: 3, access: "w" }),
  "all but a kind": allBut({ allow: false, type: "b", access: "rwm" }),
  "a part for both kinds": devicePolicy([{ allow: true, major: 8, access: "r" }]),
};

test.each(Object.entries(policies))("%s: the program decides as the policy", (_, policy) => {
  const program = deviceFilter(policy);
  const majors = [0, 1, 5, 8, 10, 136, 0xffff_ffff];
  const minors = [0, 2, 3, 200, 0xffff_ffff];
  for (const type of ["b", "c"] as const) {
    for (const [major, minor] of majors.flatMap((one) => minors.map((two) => [one, two] as const))) {
      for (let access = 1; access < 8; access += 1) {
        const verdict = run(program, [((access << 16) | (type === "b" ? 1 : 2)) >>> 0, major, minor]);
        expect(verdict === 1, `${type} ${major}:${minor} ${access}`).toBe(permits(policy, type, major, minor, access));
      }
    }
  }
});

test("the bytes are struct bpf_insn", () => {
  const program = deviceFilter({ defaultAllow: false, exceptions: [] });
  const text = Buffer.from(program).toString("hex").match(/.{16}/g);
  expect(text).toEqual([
    "6112000000000000", // w2 = *(u32 *)(r1 + 0)
    "bc23000000000000", // w3 = w2
    "54020000ffff0000", // w2 &= 0xffff
    "7403000010000000", // w3 >>= 16
    "6114040000000000", // w4 = *(u32 *)(r1 + 4)
    "6115080000000000", // w5 = *(u32 *)(r1 + 8)
    "b400000000000000", // w0 = 0
    "9500000000000000", // exit
  ]);
});
