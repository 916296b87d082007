/** The criu program: where it is, what it is told, and what its log says of a failure. */
import { closeSync, readFileSync } from "node:fs";
import { GalleyError } from "../../errors.ts";
import { seqpacketPair } from "../../linux/sys/socket.ts";
import type { Fields } from "./protobuf.ts";
import { answer, request } from "./rpc.ts";
import { converse, type Notified } from "./session.ts";

/** Path of criu. Throws `unavailable` where it is not installed. */
export function criuProgram(path: string | undefined = process.env.PATH): string {
  const found = Bun.which("criu", path === undefined ? {} : { PATH: path });
  if (found !== null) return found;
  throw new GalleyError("unavailable", "criu was not found: it checkpoints and restores processes", {
    hint: "install it: apt-get install -y criu",
  });
}

/** Runs criu for one request, on this program's standard streams. Resolves once it has ended. */
export async function askCriu(asked: Fields, onNotify: Notified = async () => {}) {
  const [own, its] = seqpacketPair();
  try {
    const child = Bun.spawn([criuProgram(), "swrk", "3"], { stdio: ["inherit", "inherit", "inherit", its] });
    closeSync(its);
    const said = await converse(own, asked, onNotify);
    closeSync(own);
    await child.exited;
    return said;
  } catch (failure) {
    for (const fd of [own, its]) tryClose(fd);
    throw failure;
  }
}

function tryClose(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was closed already.
  }
}

/** Throws `failed_precondition` where criu or the kernel lacks a feature: `mem_track` is 1, `lazy_pages` 2. */
export async function requireFeature(name: "MemTrack" | "LazyPages"): Promise<void> {
  const field = name === "MemTrack" ? 1 : 2;
  const said = await askCriu(request("featureCheck", { features: { [field]: true } }));
  const features = said.message(answer.features);
  if (features.has(field) && features.number(field) !== 1)
    throw new GalleyError("failed_precondition", `criu is missing features: [${name}]`, {
      hint: "the kernel lacks it: criu check --all",
    });
}

/** The lines of a log of criu's that tell of errors, the last few of them. */
export function errorsIn(log: string): string {
  try {
    const lines = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.includes("Error"));
    return lines.slice(-5).join("\n");
  } catch {
    return "";
  }
}

/** The failure with what the log says, and where it is; one that came before CRIU was asked has a hint of its own. */
export function withLog(failure: unknown, log: string): unknown {
  if (!(failure instanceof GalleyError) || failure.hint !== undefined) return failure;
  const errors = errorsIn(log);
  const message = errors === "" ? failure.message : `${failure.message}\n${errors}`;
  return new GalleyError(failure.code, message, { hint: `${log} has all of it` });
}
