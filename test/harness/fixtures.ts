import { hostBusybox } from "../../src/cli/assets.ts";
import type { ImageExecConfig } from "../../src/spec/image.ts";
import { type BuiltImage, buildImage, type LayerInput } from "./image-builder.ts";
import { directory, file, hardlink, type TarEntry } from "./tar.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
const group = "root:x:0:\nuser:x:1000:\nextra:x:2000:user\nnobody:x:65534:\n";

let entries: readonly TarEntry[] | undefined;

/** A small Unix: busybox under all of its names, the usual directories, users root, user (1000) and nobody. */
export function busyboxEntries(): readonly TarEntry[] {
  entries ??= makeEntries();
  return entries;
}

function makeEntries(): readonly TarEntry[] {
  const busybox = hostBusybox(["/bin/busybox", "/usr/bin/busybox"]);
  if (busybox === undefined) throw new Error("a static busybox was not found: apt-get install -y busybox-static");
  const listed = Bun.spawnSync(["busybox", "--list"]).stdout.toString().split("\n");
  const applets = listed.filter((applet) => applet !== "" && applet !== "busybox");
  const folders = ["bin", "dev", "etc", "home", "home/user", "proc", "root", "sys", "usr", "usr/bin", "var"];
  return [
    ...folders.map((name) => directory(name, name === "home/user" ? { uid: 1000, gid: 1000 } : {})),
    directory("tmp", { mode: 0o1777 }),
    file("bin/busybox", busybox, { mode: 0o755 }),
    ...applets.map((applet) => hardlink(`bin/${applet}`, "bin/busybox", { mode: 0o755 })),
    file("etc/passwd", passwd),
    file("etc/group", group),
  ];
}

/** An image of busybox, with further layers and settings as a test needs them; its command is `sh`. */
export function busyboxImage(
  options: { readonly layers?: readonly LayerInput[]; readonly config?: ImageExecConfig } = {},
): BuiltImage {
  return buildImage({
    layers: [{ entries: busyboxEntries() }, ...(options.layers ?? [])],
    config: { Env: ["PATH=/bin:/usr/bin"], Cmd: ["sh"], ...options.config },
  });
}
