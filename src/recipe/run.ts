import { GalleyError } from "../errors.ts";
import { parseReport, type Report } from "./report.ts";

/** The descriptor on which a started shim finds its first client, when {@link StartedShim.attachFd} is asked for. */
export const ATTACH_FD = 3;

/**
 * Executes a recipe that ends (mode 0) and returns its report; a failing step is in the report, not thrown.
 * @param native path of the native program
 */
export async function runRecipe(native: string, recipe: Uint8Array): Promise<Report> {
  const child = spawn(native, ["run", "-"], recipe, false);
  const report = await new Response(child.stdout).bytes();
  await child.exited;
  return parseReport(report, outsideSteps(recipe));
}

export interface StartedShim {
  readonly report: Report;
  /** Our end of the socket on which the shim speaks with its first client; the caller owns it. */
  readonly attachFd: number | undefined;
}

/**
 * Executes a recipe that leaves a shim behind (mode 1), from the file at `path`, whose bytes `recipe` are. The shim outlives this
 * process. Where the start failed everything has been undone and the report says which step it was.
 */
export async function startShim(
  native: string,
  path: string,
  recipe: Uint8Array,
  options: { readonly attach: boolean },
): Promise<StartedShim> {
  const child = spawn(native, ["run", path], undefined, options.attach);
  const attachFd = options.attach ? descriptor(child.stdio[ATTACH_FD]) : undefined;
  const bytes = await new Response(child.stdout).bytes();
  child.unref();
  return { report: parseReport(bytes, outsideSteps(recipe)), attachFd };
}

function spawn(native: string, args: readonly string[], input: Uint8Array | undefined, attach: boolean) {
  try {
    return Bun.spawn([native, ...args], {
      stdio: [input ?? "ignore", "pipe", "inherit", attach ? "pipe" : "ignore"],
      env: {},
    });
  } catch (cause) {
    throw new GalleyError("unavailable", "the native program cannot be started", { op: "run", subject: native, cause });
  }
}

function descriptor(value: unknown): number {
  if (typeof value === "number") return value;
  throw new GalleyError("internal", "no descriptor for the attached client");
}

/** The number of steps in the first section, straight from the header. */
function outsideSteps(recipe: Uint8Array): number {
  return new DataView(recipe.buffer, recipe.byteOffset, recipe.byteLength).getUint32(44, true);
}
