import { expect } from "bun:test";
import { readlinkSync } from "node:fs";
import { ownMountNamespace } from "../../src/linux/sys/mount-namespace.ts";
import { testWith } from "../harness/requirements.ts";

const current = (): string => readlinkSync("/proc/thread-self/ns/mnt");

testWith(
  { root: true },
  "a mount namespace is left to where it was entered, by a program that has got a thread meanwhile",
  async () => {
    const before = current();
    let worker: Worker;
    {
      using _ = ownMountNamespace();
      expect(current()).not.toBe(before);
      worker = new Worker("data:text/javascript,setInterval(() => {}, 1000)");
      await new Promise((resolve) => worker.addEventListener("open", resolve, { once: true }));
    }
    expect(current()).toBe(before);
    worker.terminate();
  },
);
