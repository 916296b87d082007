/** Runs on the lab's host: one action with a store's networks, its result as JSON. What an engine would do, in short. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageWriter } from "../../src/linux/netlink/message.ts";
import { TableWriter } from "../../src/linux/nftables/message.ts";
import { filterStep } from "../../src/network/attachment.ts";
import { describeFailure } from "../../src/network/failures.ts";
import { openNetworks } from "../../src/network/networks.ts";
import { networkSchema } from "../../src/network/schema.ts";
import { runSteps } from "../../src/network/setup.ts";
import type { BridgeAttachment, BridgeRequest } from "../../src/network/types.ts";
import { encode, stringList } from "../../src/recipe/encode.ts";
import { type Recipe, step } from "../../src/recipe/recipe.ts";
import { startShim } from "../../src/recipe/run.ts";
import { openDatabase } from "../../src/state/database.ts";
import type { StartWish } from "./lab.ts";

interface Setting {
  readonly path: string;
  readonly native: string;
  readonly store?: string;
  readonly wish?: StartWish;
  readonly live?: readonly string[];
  readonly ids?: readonly string[];
}

const setting = JSON.parse(process.argv[3] ?? "{}") as Setting;
const { path, native } = setting;
const store = setting.wish?.store ?? setting.store ?? "store";
const database = openDatabase(join(path, `${store}.db`), [networkSchema]);
const networks = openNetworks({ database, native, lock: join(path, "lock") });

function recipeOf(id: string, { steps }: BridgeAttachment, script: string, restart: boolean): Recipe {
  const cause = "test";
  const folder = join(path, id);
  return {
    sections: {
      outside: [step("clone", [0x60020000, "none", 1], { cause }), ...steps.outside, step("signal", [1], { cause })],
      inside: [
        step("setsid", [], { cause }),
        step("wait", [1], { cause }),
        ...steps.inside,
        step("set_stdio", ["none", "none", "none"], { cause }),
        step("exec", [stringList(["sh", "-c", script]), stringList(["PATH=/usr/bin:/bin"]), "/usr/bin:/bin"], {
          cause,
        }),
      ],
      cleanup: steps.cleanup,
    },
    shim: {
      stdio: {},
      openStdin: false,
      stdinOnce: false,
      socketPath: join(folder, "shim.sock"),
      statusPath: join(folder, "status"),
      timingsPath: join(folder, "timings"),
      restart: { policy: restart ? "always" : "no", maxRetries: 0 },
    },
  };
}

async function start(wish: StartWish): Promise<unknown> {
  const request: BridgeRequest = {
    container: wish.id,
    ports: wish.ports ?? [],
    restarts: wish.restart === true,
    ...(wish.address === undefined ? {} : { address: wish.address }),
  };
  mkdirSync(join(path, wish.id), { recursive: true, mode: 0o700 });
  for (let attempt = 1; ; attempt++) {
    const attachment = networks.attach(request);
    const recipe = recipeOf(wish.id, attachment, wish.script ?? "exec sleep 600", wish.restart === true);
    const bytes = encode(recipe);
    const file = join(path, wish.id, "recipe");
    writeFileSync(file, bytes);
    const { report } = await startShim(native, file, bytes, { attach: false });
    const { failure, timings } = report;
    if (failure === undefined) return { id: wish.id, pid: report.pid, attempt, timings, ...attachment.facts };
    const failed = { step: recipe.sections[failure.section]?.[failure.step], errno: failure.errno };
    const { step: culprit } = failed;
    if (culprit === undefined) throw new Error(`no step ${failure.section} ${failure.step}`);
    if (attempt < 4 && (await networks.recover(request, { step: culprit, errno: failure.errno }))) continue;
    networks.release(wish.id);
    throw (
      describeFailure({ step: culprit, errno: failure.errno }, wish.id) ?? new Error(`${culprit.op}: ${failure.errno}`)
    );
  }
}

const actions: Record<string, () => Promise<unknown>> = {
  setup: async () => networks.setup(),
  heal: async () => networks.setup({ heal: true }),
  start: async () => start(setting.wish ?? { id: "" }),
  attach: async () =>
    (setting.ids ?? []).map(
      (container) => networks.attach({ container, ports: [{ containerPort: 80, protocol: "tcp" }] }).facts,
    ),
  release: async () => (setting.ids ?? []).map((id) => networks.release(id)),
  sweep: async () => networks.sweep(new Set(setting.live)),
  deleteTable: async () => change((table) => table.deleteTable()),
  dropGuard: async () => change((table) => table.flushChain("guard")),
  leases: async () => database.query("SELECT container FROM leases ORDER BY container").values().flat(),
};

/** Sends nf_tables requests about the table. */
async function change(body: (table: TableWriter) => void): Promise<void> {
  const table = new TableWriter(new MessageWriter(), "galley");
  table.batch(() => body(table));
  await runSteps(native, [filterStep("test", table.writer.finish())]);
}

const action = actions[process.argv[2] ?? ""];
if (action === undefined) throw new Error(`no action ${process.argv[2]}`);
process.stdout.write(JSON.stringify((await action()) ?? null));
process.exit(0);
