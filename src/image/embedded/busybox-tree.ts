import { GalleyError } from "../../errors.ts";
import { executableInMemory, withFd } from "../../linux/sys/sys.ts";
import type { NewEntry } from "../layers/tar/write-header.ts";
import type { NewMember } from "../layers/tar/write-tar.ts";

/** Time of everything in the image, in seconds since 1970: 2025-01-01, so that the same binary gives the same image. */
export const EMBEDDED_TIME = 1_735_689_600;

const files: Readonly<Record<string, { readonly mode: number; readonly text: string }>> = {
  "etc/group": {
    mode: 0o644,
    text: "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\nmail:x:8:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n",
  },
  "etc/passwd": {
    mode: 0o644,
    text: [
      "root:x:0:0:root:/root:/bin/sh",
      "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
      "bin:x:2:2:bin:/bin:/bin/false",
      "sys:x:3:3:sys:/dev:/bin/false",
      "mail:x:8:8:mail:/var/spool/mail:/bin/false",
      "www-data:x:33:33:www-data:/var/www:/bin/false",
      "nobody:x:65534:65534:nobody:/home:/bin/false",
      "",
    ].join("\n"),
  },
  "etc/shadow": { mode: 0o600, text: "root:*:20089:0:99999:7:::\n" },
};

const directories: Readonly<Record<string, number>> = {
  "": 0o755,
  bin: 0o755,
  dev: 0o755,
  etc: 0o755,
  home: 0o755,
  proc: 0o555,
  root: 0o700,
  sys: 0o555,
  tmp: 0o1777,
  usr: 0o755,
  "usr/bin": 0o755,
  "usr/sbin": 0o755,
  var: 0o755,
  "var/spool": 0o755,
  "var/spool/mail": 0o755,
  "var/tmp": 0o1777,
  "var/www": 0o755,
};

/** The members of the image's one layer: the binary, a hard link for each of its commands, and the few files a system expects. */
export function busyboxTree(binary: Uint8Array, applets: readonly string[]): readonly NewMember[] {
  const members: NewMember[] = [];
  for (const [name, mode] of Object.entries(directories)) {
    members.push(member({ name: name === "" ? "./" : name, type: "directory", mode }));
  }
  for (const [name, { mode, text }] of Object.entries(files)) {
    members.push(member({ name, type: "file", mode }, Buffer.from(text)));
  }
  members.push(member({ name: "bin/busybox", type: "file", mode: 0o755 }, binary));
  for (const applet of [...new Set(applets)].sort()) {
    if (applet === "busybox") continue;
    members.push(member({ name: `bin/${applet}`, type: "hardlink", linkName: "bin/busybox", mode: 0o755 }));
  }
  members.push(member({ name: "usr/bin/env", type: "symlink", linkName: "../../bin/env", mode: 0o777 }));
  return members;
}

function member(entry: NewEntry, content?: Uint8Array): NewMember {
  const timed = { ...entry, modified: { seconds: EMBEDDED_TIME, nanoseconds: 0 } };
  return content === undefined ? { entry: timed } : { entry: { ...timed, size: content.length }, content };
}

/** Names of the commands in a busybox binary, which it is run to tell, from memory. */
export function appletsOf(binary: Uint8Array): readonly string[] {
  return withFd(executableInMemory("busybox", binary), (fd) => {
    const { stdout, success } = run(`/proc/${process.pid}/fd/${fd}`);
    const applets = stdout.split("\n").filter((name) => /^[A-Za-z0-9_.[-]+$/.test(name) && !/^\.+$/.test(name));
    if (success && applets.includes("sh")) return applets;
    throw new GalleyError("failed_precondition", "it is no busybox with a shell", {
      op: "make the busybox image",
      subject: "busybox",
      hint: "apt-get install busybox-static",
    });
  });
}

function run(program: string): { readonly stdout: string; readonly success: boolean } {
  try {
    const { stdout, success } = Bun.spawnSync([program, "--list"], { argv0: "busybox", env: {}, stderr: "ignore" });
    return { stdout: stdout.toString(), success };
  } catch {
    return { stdout: "", success: false };
  }
}
