import { expect, test } from "bun:test";
import { getPriority } from "node:os";
import { Priority } from "./priority.ts";

const mayComeBack = process.geteuid?.() === 0;

test("a thread that steps aside is the last to run, and comes back", () => {
  const usual = getPriority();
  const priority = new Priority();
  priority.set(true);
  expect(getPriority()).toBe(mayComeBack ? 19 : usual + 1);
  priority.set(false);
  expect(getPriority()).toBe(mayComeBack ? usual : usual + 1);
});

test("who cannot come back does not step aside", () => {
  const program = `
    import { getPriority } from "node:os";
    import { Priority } from ${JSON.stringify(new URL("./priority.ts", import.meta.url).pathname)};
    process.setgid(65534);
    process.setuid(65534);
    const usual = getPriority();
    new Priority().set(true);
    console.log(getPriority() - usual);`;
  const run = Bun.spawnSync([process.execPath, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  expect(run.stdout.toString().trim()).toBe("1");
});
