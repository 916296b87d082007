/** One configuration, from its text to the recipe of its start: what the fuzzer tries, and what must hold. */
import { GalleyError } from "../../src/errors.ts";
import { groupOf } from "../../src/linux/resctrl/group.ts";
import { linuxVocabulary } from "../../src/linux/vocabulary.ts";
import { encode } from "../../src/recipe/encode.ts";
import { compileStart } from "../../src/runtime/compile-start.ts";
import type { HostFacts } from "../../src/runtime/host.ts";
import type { RuntimeConfig } from "../../src/spec/runtime.ts";
import { parseConfig, validateConfig } from "../../src/spec/validate/validate.ts";

/** A configuration on which something went wrong: the message says what. */
export class Finding extends Error {}

/** What became of a configuration: refused with a message, or compiled. */
export type Outcome = { readonly refused: string } | { readonly recipe: Uint8Array };

/** Groups are new in it, and it has no L3 and no bandwidth of its own. */
const NO_RESCTRL = { path: "/nosuch", inMegabytes: false };

const FILE = "config.json";
const vocabulary = linuxVocabulary();

/** A field of the configuration, or the file itself where it is no JSON. */
const field =
  /^(config\.json(: (config\.json$|.*))?|(ociVersion|hostname|domainname|process|root|mounts|hooks|annotations|linux)\b.*)$/s;

const controllers = "cpuset cpu cpuacct blkio memory devices freezer net_cls net_prio hugetlb pids rdma".split(" ");
const at = (mountPoint: string, ...of: readonly string[]) => ({ mountPoint, controllers: of, root: "/", self: "/" });
const v1 = [...controllers, "name=systemd"].map((name) => at(`/cg/${name}`, name));

/** Machines of each kind with every controller. */
const layouts: readonly HostFacts["cgroups"][] = [
  { mode: "v1", v1 },
  { mode: "hybrid", v1, v2: at("/cg/unified") },
  { mode: "v2", v1: [], v2: at("/cg", "cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc") },
];

/** Validates and compiles. Throws {@link Finding} for anything that is thrown but an error with a field. */
export function tryConfig(text: string, variant: number): Outcome {
  const facts: HostFacts = {
    cgroups: layouts[variant % 3] ?? { mode: "none", v1: [] },
    overlay: { layerByLayer: true },
    mountAround: () => "/around",
  };
  try {
    const config = parseConfig(text, FILE);
    validateConfig(config, { vocabulary, cgroups: facts.cgroups.mode, rootless: variant % 8 === 7 });
    return { recipe: compiled(config, facts, variant) };
  } catch (failure) {
    return { refused: checked(failure) };
  }
}

function compiled(config: RuntimeConfig, facts: HostFacts, variant: number): Uint8Array {
  const linux = { ...config.linux, cgroupsPath: config.linux?.cgroupsPath || "/fuzz" };
  const gate =
    variant % 3 === 0 ? { gate: "/gate", hooks: { ready: "/ready", done: "/done" }, identity: "/identity" } : {};
  const maker = variant % 5 === 0 ? { unprivileged: true, maker: { uid: 1000, gid: 1000 } } : {};
  const console = { kind: "passed" } as const;
  return encode(
    compileStart(
      {
        config: { ...config, linux },
        root: { kind: "directory", path: "/rootfs" },
        mountPoint: "/point",
        openStdin: true,
        resctrl: linux.intelRdt && groupOf(linux.intelRdt, "fuzz", NO_RESCTRL),
        managed: { ...gate, ...maker, console },
      },
      facts,
    ),
  );
}

function checked(failure: unknown): string {
  if (!(failure instanceof GalleyError)) throw new Finding(`not an error of ours: ${describe(failure)}`);
  const { subject = "", message } = failure;
  if (!field.test(subject)) throw new Finding(`an error without a field: ${failure.describe().slice(0, 500)}`);
  if (message.includes("undefined") || message.includes("[object")) throw new Finding(`a message that says ${message}`);
  return failure.describe();
}

function describe(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
