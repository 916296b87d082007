/**
 * A device policy as an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE (uapi/linux/bpf.h; Documentation/bpf/standardization).
 *
 * The kernel runs it for every open and mknod of a device in the cgroup, with struct bpf_cgroup_dev_ctx in register 1:
 * {u32 access << 16 | type, u32 major, u32 minor}. It returns 1 to permit and 0 to refuse.
 */
import type { DeviceException, DevicePolicy } from "../cgroups/device-rules.ts";

/** BPF_DEVCG_DEV_*. */
const deviceType = { b: 1, c: 2 } as const;

/** Opcodes: class | operation | source of the operand. 32-bit classes, so that no value is sign-extended. */
const op = {
  loadWord: 0x61,
  moveImmediate: 0xb4,
  moveRegister: 0xbc,
  and: 0x54,
  shiftRight: 0x74,
  jumpEqual: 0x16,
  jumpNotEqual: 0x56,
  exit: 0x95,
} as const;

/** Registers: the result and scratch, the context, and what is loaded from it. */
const result = 0;
const context = 1;
const type = 2;
const access = 3;
const major = 4;
const minor = 5;

interface Instruction {
  readonly code: number;
  readonly to?: number;
  readonly from?: number;
  readonly offset?: number;
  readonly value?: number;
  /** A jump to the end of its block, which only the finished block knows. */
  readonly leavesBlock?: true;
}

const prologue: readonly Instruction[] = [
  { code: op.loadWord, to: type, from: context, offset: 0 },
  { code: op.moveRegister, to: access, from: type },
  { code: op.and, to: type, value: 0xffff },
  { code: op.shiftRight, to: access, value: 16 },
  { code: op.loadWord, to: major, from: context, offset: 4 },
  { code: op.loadWord, to: minor, from: context, offset: 8 },
];

/** The program for bpf(BPF_PROG_LOAD): struct bpf_insn, 8 bytes each, little endian. Some 5 instructions per exception. */
export function deviceFilter(policy: DevicePolicy): Uint8Array {
  const blocks = policy.exceptions.map((one) => block(one, policy.defaultAllow));
  return encode([...prologue, ...blocks.flat(), ...verdict(policy.defaultAllow)]);
}

function verdict(permit: boolean): Instruction[] {
  return [{ code: op.moveImmediate, to: result, value: permit ? 1 : 0 }, { code: op.exit }];
}

/** Compares what the exception names, and leaves the block at the first difference. */
function block(one: DeviceException, defaultAllow: boolean): Instruction[] {
  const body: Instruction[] = [
    { code: op.jumpNotEqual, to: type, value: deviceType[one.type], leavesBlock: true },
    ...matchAccess(one.access, defaultAllow),
    ...matchNumber(major, one.major),
    ...matchNumber(minor, one.minor),
    ...verdict(!defaultAllow),
  ];
  return body.map((instruction, index) =>
    instruction.leavesBlock === true ? { ...instruction, offset: body.length - index - 1 } : instruction,
  );
}

/** To be permitted, all of an access must be covered; to be refused, any of it. */
function matchAccess(bits: number, defaultAllow: boolean): Instruction[] {
  if (bits === 7) return [];
  const mask = defaultAllow ? bits : ~bits & 7;
  const leave = defaultAllow ? op.jumpEqual : op.jumpNotEqual;
  return [
    { code: op.moveRegister, to: result, from: access },
    { code: op.and, to: result, value: mask },
    { code: leave, to: result, value: 0, leavesBlock: true },
  ];
}

function matchNumber(register: number, value: number): Instruction[] {
  return value < 0 ? [] : [{ code: op.jumpNotEqual, to: register, value, leavesBlock: true }];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  instructions.forEach(({ code, to = 0, from = 0, offset = 0, value = 0 }, index) => {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, to | (from << 4));
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, value | 0, true);
  });
  return new Uint8Array(view.buffer);
}
