import { expect, test } from "bun:test";
import { mountPlaces } from "./places.ts";

test("a mount point is made in the root, or in the bind that it lies in; a file system's own content comes back by itself", () => {
  const mounts = [
    { destination: "/proc", type: "proc" },
    { destination: "/dev", type: "tmpfs" },
    { destination: "/dev/pts", type: "devpts" },
    { destination: "/sys/fs/cgroup", type: "cgroup" },
    { destination: "/data", type: "bind", source: "/usr" },
    { destination: "/data/for/nested", options: ["rbind"], source: "/etc/passwd" },
    { destination: "/database", type: "bind", source: "." },
  ];
  expect(mountPlaces({ ociVersion: "1.3.0", mounts }, "/root-of-it", "/bundle")).toEqual([
    { top: "/root-of-it", path: "/proc", directory: true },
    { top: "/root-of-it", path: "/dev", directory: true },
    { top: "/root-of-it", path: "/data", directory: true },
    { top: "/usr", path: "/for/nested", directory: false },
    { top: "/root-of-it", path: "/database", directory: false },
  ]);
});
