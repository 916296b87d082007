import { encode } from "../../recipe/encode.ts";
import { step } from "../../recipe/recipe.ts";
import { parseReport } from "../../recipe/report.ts";
import { stepFailure } from "./failure.ts";

/** Sends a terminal's master over a console socket, as a container's own start does. */
export async function sendTerminal(native: string, socket: string, master: number): Promise<void> {
  const cause = "--console-socket";
  const outside = [
    step("passed_fd", [], { out: "console", cause }),
    step("send_console", [socket, "console"], { cause }),
  ];
  const recipe = { sections: { outside } };
  const child = Bun.spawn([native, "run", "--pass", "3", "-"], {
    stdio: [encode(recipe), "pipe", "inherit", master],
    env: {},
  });
  const report = parseReport(await new Response(child.stdout).bytes(), outside.length);
  if (report.failure !== undefined) throw stepFailure(recipe, report.failure, "restore");
}
