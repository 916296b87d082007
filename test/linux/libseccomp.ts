/** The C library that other runtimes build their filters with, to compare decisions with: used where it is installed. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GalleyError } from "../../src/errors.ts";
import { actionValue } from "../../src/linux/seccomp/actions.ts";
import type { SeccompConfig } from "../../src/spec/runtime.ts";

const symbols = {
  seccomp_init: { args: [FFIType.u32], returns: FFIType.ptr },
  seccomp_release: { args: [FFIType.ptr], returns: FFIType.void },
  seccomp_arch_add: { args: [FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  seccomp_rule_add_array: {
    args: [FFIType.ptr, FFIType.u32, FFIType.i32, FFIType.u32, FFIType.ptr],
    returns: FFIType.i32,
  },
  seccomp_attr_set: { args: [FFIType.ptr, FFIType.i32, FFIType.u32], returns: FFIType.i32 },
  seccomp_export_bpf: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  seccomp_syscall_resolve_name: { args: [FFIType.ptr], returns: FFIType.i32 },
  seccomp_syscall_resolve_name_arch: { args: [FFIType.u32, FFIType.ptr], returns: FFIType.i32 },
} as const;

/** A scmp_filter_ctx. */
type Filter = NonNullable<ReturnType<Library["seccomp_init"]>>;
type Library = ReturnType<typeof dlopen<typeof symbols>>["symbols"];

const UNKNOWN = -1;
const operators = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map((name) => `SCMP_CMP_${name}`);
const tokens: Readonly<Record<string, number>> = {
  SCMP_ARCH_X86_64: 0xc000_003e,
  SCMP_ARCH_X86: 0x4000_0003,
  SCMP_ARCH_X32: 0x4000_003e,
};

/** The library, or undefined where it is not installed. */
export function openLibseccomp(): Library | undefined {
  try {
    return dlopen("libseccomp.so.2", symbols).symbols;
  } catch {
    return undefined;
  }
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The same configuration without the calls that the library, which may be older than the tables here, does not know. */
export function withKnownCalls(library: Library, config: SeccompConfig): SeccompConfig {
  const isKnown = (name: string): boolean => library.seccomp_syscall_resolve_name(ptr(cString(name))) !== UNKNOWN;
  const syscalls = (config.syscalls ?? []).map((rule) => ({ ...rule, names: rule.names.filter(isKnown) }));
  return { ...config, syscalls };
}

/** The highest number that a configuration names on an architecture; what runc answers with ENOSYS lies above it. */
export function highestCall(library: Library, config: SeccompConfig, architecture: string): number {
  const names = (config.syscalls ?? []).flatMap((rule) => rule.names);
  return Math.max(
    -1,
    ...names.map((name) => library.seccomp_syscall_resolve_name_arch(tokens[architecture] ?? 0, ptr(cString(name)))),
  );
}

/** SCMP_FLTATR_CTL_OPTIMIZE, and its value for a binary tree (seccomp_attr_set(3)). */
const OPTIMIZE = 8;
const BINARY_TREE = 2;
/** runc asks for the tree where there are more rules than this. */
const MANY_RULES = 32;

/** How many rules runc makes of a configuration: one for each name. */
function rulesOf({ syscalls = [] }: SeccompConfig): number {
  return syscalls.reduce((sum, { names }) => sum + names.length, 0);
}

/** The library's program, given the rules as runc gives them. Throws where the library refuses a rule. */
export function libseccompProgram(library: Library, config: SeccompConfig): Uint8Array {
  const defaultAction = actionValue(config.defaultAction, config.defaultErrnoRet, "defaultAction");
  const filter = library.seccomp_init(defaultAction);
  if (filter === null) throw new Error("seccomp_init");
  try {
    if (rulesOf(config) > MANY_RULES) library.seccomp_attr_set(filter, OPTIMIZE, BINARY_TREE);
    for (const architecture of config.architectures ?? []) library.seccomp_arch_add(filter, tokens[architecture] ?? 0);
    for (const rule of config.syscalls ?? []) {
      const action = actionValue(rule.action, rule.errnoRet, "action");
      if (action === defaultAction) continue;
      for (const name of rule.names) addRule(library, filter, action, name, rule.args ?? []);
    }
    return exportProgram(library, filter);
  } finally {
    library.seccomp_release(filter);
  }
}

type Args = NonNullable<NonNullable<SeccompConfig["syscalls"]>[number]["args"]>;

function addRule(library: Library, filter: Filter, action: number, name: string, args: Args): void {
  const number = library.seccomp_syscall_resolve_name(ptr(cString(name)));
  const repeated = new Set(args.map(({ index }) => index)).size < args.length;
  for (const group of repeated ? args.map((one) => [one]) : [args]) {
    const code = library.seccomp_rule_add_array(filter, action, number, group.length, ptr(comparisons(group)));
    if (code !== 0) throw new GalleyError("invalid_argument", `seccomp_rule_add ${name}: ${code}`);
  }
}

/** struct scmp_arg_cmp, 24 bytes each; never empty, so that there is something to point to. */
function comparisons(args: Args): Uint8Array {
  const view = new DataView(new ArrayBuffer(Math.max(1, args.length) * 24));
  args.forEach((one, index) => {
    view.setUint32(index * 24, one.index, true);
    view.setInt32(index * 24 + 4, operators.indexOf(one.op), true);
    view.setBigUint64(index * 24 + 8, BigInt(one.value), true);
    view.setBigUint64(index * 24 + 16, BigInt(one.valueTwo ?? 0), true);
  });
  return new Uint8Array(view.buffer);
}

function exportProgram(library: Library, filter: Filter): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "galley-seccomp-"));
  try {
    const path = join(directory, "filter");
    const file = openSync(path, "w");
    const code = library.seccomp_export_bpf(filter, file);
    closeSync(file);
    if (code !== 0) throw new Error(`seccomp_export_bpf: ${code}`);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
