import { expect } from "bun:test";
import { testWith } from "../harness/requirements.ts";
import { Shim } from "./shim.ts";

const root = (name: string, body: () => Promise<void>) => testWith({ root: true }, name, body);

root("a terminal: one stream, echo, its size, the signal of its keys, and a log", async () => {
  await using shim = await Shim.start(
    "trap 'echo interrupted; exit 5' INT; echo begun; stty size; while :; do sleep 0.01; done",
    {
      tty: true,
    },
  );
  await shim.client.until("begun\r\n");
  expect(await shim.client.resize(40, 120)).toBe(0);
  shim.client.input("\x03");
  expect((await shim.client.wait()).code).toBe(5);
  expect(shim.client.text(1)).toContain("^C");
  expect(shim.client.text(1)).toContain("interrupted\r\n");
  expect(shim.client.text(2)).toBe("");
  expect(shim.log()[0]).toMatchObject({ log: "begun\r\n", stream: "stdout" });
});

root("a new size reaches the program, and the program of a restart", async () => {
  await using shim = await Shim.start("stty size; trap 'stty size' WINCH; echo begun; read line || read line", {
    tty: true,
    restart: { policy: "always", maxRetries: 0 },
  });
  await shim.client.until("begun");
  expect(await shim.client.resize(33, 99)).toBe(0);
  shim.client.input("\n");
  await shim.client.until("33 99\r\n");
  await shim.until("running", { restarts: "1" });
  expect(await shim.client.kill(9, 1)).toBe(0);
  await shim.client.wait();
});

root("a client may leave a terminal and another come to it; neither ends the program", async () => {
  await using shim = await Shim.start("while read line; do echo got $line; done; echo ended", {
    tty: true,
    stdinOnce: true,
  });
  shim.client.input("one\n");
  await shim.client.until("got one");
  shim.client.close();
  const next = await shim.connect();
  await next.attach();
  next.input("two\n");
  await next.until("got two");
  expect(next.text(1)).not.toContain("one");
  // Asked before the end, which may come before a later question.
  const end = next.wait();
  next.input("\x04");
  expect((await end).code).toBe(0);
  expect(next.text(1)).toEndWith("ended\r\n");
});

root("a program that lets its terminal go and opens it again is heard", async () => {
  await using shim = await Shim.start(
    "exec 3>&1; t=$(tty); exec <&- >&- 2>&- 3>&-; sleep 0.1; exec >>$t; echo back; exit 6",
    { tty: true },
  );
  expect((await shim.client.wait()).code).toBe(6);
  expect(shim.client.text(1)).toContain("back\r\n");
});

root("the program leads its session and owns the terminal; the shim's own session has none", async () => {
  await using shim = await Shim.start(
    "ps -o sid=,tty= -p $$ 2>/dev/null || cut -d' ' -f6,7 /proc/$$/stat; echo there > /dev/tty; sleep 60",
    {
      tty: true,
    },
  );
  await shim.client.until("there");
  const stat = (await Bun.file(`/proc/${shim.pid}/stat`).text()).split(" ");
  expect(stat[6]).toBe("0");
});
