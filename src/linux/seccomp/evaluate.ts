/** Runs a classic BPF program over a system call, as the kernel would: for tests and for explaining a filter's decision. */
import { bpf } from "./assembler.ts";

/** struct seccomp_data; the instruction pointer is 0. */
export interface SystemCall {
  readonly number: number;
  /** AUDIT_ARCH_*. */
  readonly audit: number;
  readonly args: readonly bigint[];
}

export interface Decision {
  /** What the filter returns: action and data. */
  readonly value: number;
  /** How many instructions it took. */
  readonly steps: number;
}

/** Evaluates; throws where a program is not one that the kernel would take. */
export function evaluate(program: Uint8Array, call: SystemCall): Decision {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = seccompData(call);
  let accumulator = 0;
  for (let at = 0, steps = 1; at < program.length; at += 8, steps += 1) {
    const opcode = code.getUint16(at, true);
    const k = code.getUint32(at + 4, true);
    if (opcode === bpf.return) return { value: k, steps };
    if (opcode === bpf.load) accumulator = data.getUint32(k, true);
    else if (opcode === bpf.and) accumulator = (accumulator & k) >>> 0;
    else if (opcode === bpf.jump) at += k * 8;
    else at += code.getUint8(at + (holds(opcode, accumulator, k) ? 2 : 3)) * 8;
  }
  throw new RangeError("the program runs off its end");
}

function holds(opcode: number, accumulator: number, k: number): boolean {
  if (opcode === bpf.jumpEqual) return accumulator === k;
  if (opcode === bpf.jumpGreater) return accumulator > k;
  if (opcode === bpf.jumpGreaterOrEqual) return accumulator >= k;
  throw new RangeError(`unexpected opcode ${opcode}`);
}

function seccompData({ number, audit, args }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  args.forEach((value, index) => {
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), true);
  });
  return data;
}
