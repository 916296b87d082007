/** The examples of docs/library.md, run one after the other as one program, in a project that has Galley installed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage } from "../harness/image-builder.ts";
import { type Registry, startRegistry } from "../harness/registry.ts";
import { missing, testWith } from "../harness/requirements.ts";
import { directory, file } from "../harness/tar.ts";

const home = join(import.meta.dir, "../..");
const needs = { commands: ["docker-registry"] };
const image = buildImage({
  layers: [{ entries: [directory("etc"), file("etc/motd", "welcome\n")] }],
  config: { Cmd: ["/app"] },
});

let project: string;
let registry: Registry | undefined;
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "galley-library-"));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(home, join(project, "node_modules/galley"));
  if (missing(needs) !== undefined) return;
  registry = await startRegistry();
  await registry.push("team/app", "1", image);
});
afterAll(async () => {
  await registry?.stop();
  rmSync(project, { recursive: true, force: true });
});

/** The document's examples as one program, with its places put where the test has them. */
function program(): string {
  const text = readFileSync(join(home, "docs/library.md"), "utf8");
  const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  expect(examples.length).toBeGreaterThan(4);
  return examples
    .join("\n")
    .replaceAll("registry.example", registry?.host ?? "")
    .replaceAll(/(\/var\/lib\/galley|\/run\/galley|\/backup)/g, (path) => join(project, path));
}

async function run(code: string) {
  const path = join(project, "example.ts");
  writeFileSync(path, code);
  const child = Bun.spawn([process.execPath, path], {
    cwd: project,
    env: { PATH: process.env.PATH, HOME: project },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { status: await child.exited, stdout, stderr };
}

testWith(needs, "the examples run, and print what they say", async () => {
  mkdirSync(join(project, "backup"), { recursive: true });
  const { status, stdout, stderr } = await run(program());
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain('[ "/app" ] true');
  expect(stdout).toContain(image.descriptor.digest);
  expect(stdout).toContain("welcome\n");
  expect(stdout).toMatch(/^not_found .*team\/nosuch:1/m);
});

testWith(needs, "a copy that is called off ends as canceled and leaves nothing", async () => {
  const code = `
    import { copy, GalleyError } from "galley";
    const controller = new AbortController();
    const failure = await copy("docker://${registry?.host}/team/app:1", "oci:${join(project, "off")}:app", {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }).catch((failure) => failure);
    console.log(failure instanceof GalleyError, failure.code);
    const { readdirSync, existsSync } = await import("node:fs");
    console.log(existsSync("${join(project, "off/index.json")}"));
  `;
  expect(await run(code)).toEqual({ status: 0, stdout: "true canceled\nfalse\n", stderr: "" });
});

testWith(needs, "a copy asks the policy that is in force, or the one it is given, unless told otherwise", async () => {
  const policies = join(project, ".config/containers");
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, "policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
  writeFileSync(join(project, "open.json"), JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  const code = `
    import { copy } from "galley";
    import { existsSync } from "node:fs";
    const to = "oci:${join(project, "asked")}:app";
    const outcome = async (request) =>
      copy("docker://${registry?.host}/team/app:1", to, request).then(({ digest }) => digest, ({ code, message }) => code + " " + message);
    console.log(await outcome({}));
    console.log(existsSync("${join(project, "asked/index.json")}"));
    console.log(await outcome({ policy: "${join(project, "open.json")}" }));
    console.log(await outcome({ insecurePolicy: true }));
  `;
  try {
    const { stdout, stderr } = await run(code);
    const { digest } = image.descriptor;
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^permission_denied Source image rejected: .*rejected by policy.*\nfalse\n/);
    expect(stdout).toEndWith(`${digest}\n${digest}\n`);
  } finally {
    rmSync(policies, { recursive: true });
  }
});

testWith(needs, "a layer that is not what it should be is told at its end", async () => {
  const bad = buildImage({
    layers: [{ entries: [file("a", "a")] }],
    editConfig: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [`sha256:${"0".repeat(64)}`] } }),
  });
  await registry?.push("team/bad", "1", bad);
  const code = `
    import { openImage } from "galley";
    await using opened = await openImage("docker://${registry?.host}/team/bad:1");
    const names = [];
    try {
      for await (const { entry } of opened.layers[0].members()) names.push(entry.name);
    } catch (failure) {
      console.log(names.join(), failure.code);
    }
  `;
  expect(await run(code)).toEqual({ status: 0, stdout: "a data_loss\n", stderr: "" });
});

test("what is exported is what the document imports, and types are strict", () => {
  const config = {
    extends: join(home, "tsconfig.json"),
    compilerOptions: { noEmit: true, types: ["bun"], typeRoots: [join(home, "node_modules/@types")] },
    include: ["typed.ts"],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(project, "typed.ts"), `${program()}\nexport {};\n`);
  const { exitCode, stdout } = Bun.spawnSync([join(home, "node_modules/.bin/tsc"), "-p", project]);
  expect(stdout.toString()).toBe("");
  expect(exitCode).toBe(0);
});
