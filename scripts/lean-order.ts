/**
 * Which memory the everyday commands of galley-runtime touch: a program that is built to trace it runs them on a container, as root; native/lean/trace.c
 * makes an order of it, by which the program proper is laid out. Where this machine does not let containers run, fewer commands tell.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostBusybox } from "../src/cli/assets.ts";
import { exampleConfig } from "../src/runtime/oci/example.ts";
import { run } from "./quickjs.ts";

const applets = ["sh", "sleep", "true"] as const;

/** `$` is the container, `@` its bundle. */
const commands: readonly (readonly string[])[] = [
  ["create", "--bundle", "@", "$"],
  ["state", "$"],
  ["start", "$"],
  ["exec", "$", "true"],
  ["kill", "$", "KILL"],
  ["delete", "--force", "$"],
  ["run", "--bundle", "@", "$"],
];

/** Milliseconds for a command that has nothing to wait for. */
const PATIENCE = 20_000;

/** Writes to `output` the order of the traced program's memory. */
export function orderOf(program: string, output: string): void {
  const folder = mkdtempSync(join(tmpdir(), "galley-order-"));
  try {
    const trace = join(folder, "trace");
    const env = { ...process.env, GALLEY_TRACE: trace, GALLEY_PROGRAM: "/bin/false" };
    for (const command of commands) {
      makeBundle(folder, command[0] === "run" ? ["true"] : ["sleep", "60"]);
      const words = command.map((word) => ({ $: `galley-order-${process.pid}`, "@": folder })[word] ?? word);
      Bun.spawnSync([program, "--root", join(folder, "state"), ...words], {
        env,
        stdio: ["ignore", "ignore", "ignore"],
        timeout: PATIENCE,
      });
    }
    run([program, "--order", trace, output], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeBundle(folder: string, args: readonly string[]): void {
  const config = exampleConfig();
  const process = { ...config.process, terminal: false, args };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, process }));
  const bin = join(folder, "rootfs/bin");
  if (mkdirSync(bin, { recursive: true }) === undefined) return;
  const busybox = hostBusybox(["/bin/busybox", "/usr/bin/busybox"]);
  if (busybox === undefined) return;
  writeFileSync(join(bin, "busybox"), busybox, { mode: 0o755 });
  for (const applet of applets) symlinkSync("busybox", join(bin, applet));
}
