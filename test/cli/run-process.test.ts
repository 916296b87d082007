/** Flags of `run` about the container's process. */
import { beforeAll, describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags, showFlags, tryFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();

const streams = "{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}}{{end}}";

beforeAll(() => {
  writeFileSync(join(store().home, "first.env"), "A=1\nB=1\n");
  writeFileSync(join(store().home, "second.env"), "B=2\n");
  writeFileSync(join(store().home, "bad.env"), "has space=1\n");
  mkdirSync(join(store().home, "directory"));
});

tryFlags("the process sees", store, [
  ["-w /tmp", "pwd", "/tmp"],
  ["--workdir /made/for/it", "pwd", "/made/for/it"],
  ["-w /a/.././/b/", "pwd; ls -d /a 2>&1 || :", "/b\nls: /a: No such file or directory"],
  ["-u 1234", "id -u; id -g", "1234\n0"],
  ["--user 1234:5678", "id -u; id -g", "1234\n5678"],
  ["-u nobody", "id -un", "nobody"],
  ["-u nobody:root", "id -gn", "root"],
  ["-u 1234 --group-add 7 --group-add root", "id -G", "0 7"],
  ["-e A=1 --env B=2", "echo $A$B", "12"],
  ["-e A= -e A=last", "echo $A", "last"],
  ["-e NOT_OF_THE_CALLER", "env | grep -c NOT_OF || :", "0"],
  ["--env-file HOME/first.env --env-file HOME/second.env", "echo $A$B", "12"],
  ["--env-file HOME/first.env -e A=own", "echo $A$B", "own1"],
  ["--init", "cat /proc/1/comm; echo $$", "galley-init\n2"],
  ["--no-healthcheck", "echo here", "here"],
  ["--oom-score-adj 500", "cat /proc/self/oom_score_adj", "500"],
  ["--quiet --pull never", "echo here", "here"],
  ["-q --pull missing", "echo here", "here"],
  ["--disable-content-trust", "echo here", "here"],
  ["--pull never --platform linux", "echo here", "here"],
  ["--attach stdout", "echo out", "out"],
]);

showFlags("inspect shows", store, [
  ["--stop-signal USR1 --stop-timeout 7", "{{.Config.StopSignal}} {{.Config.StopTimeout}}", "USR1 7"],
  ["", streams, "false true true"],
  ["-i", streams, "true true true"],
  ["-a stdout", streams, "false true false"],
  ["-a stderr -a STDIN", streams, "true false true"],
  ["--no-healthcheck", "{{.Config.Healthcheck.Test}}", "[NONE]"],
  ["--stop-timeout -1", "{{.Config.StopTimeout}}", "-1"],
  ["--entrypoint a", "{{json .Config.Entrypoint}} {{json .Config.Cmd}}", '["a"] null'],
  ["-t --interactive", "{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}}", "true true true"],
  ["--tty=false -i=0", "{{.Config.Tty}} {{.Config.OpenStdin}}", "false false"],
  ["-w /a/.././/b/ -u 1:2", "{{.Config.WorkingDir}} {{.Config.User}}", "/b 1:2"],
  ["--group-add 7 --group-add root", "{{.HostConfig.GroupAdd}}", "[7 root]"],
  ["--init --oom-score-adj -5", "{{.HostConfig.Init}} {{.HostConfig.OomScoreAdj}}", "true -5"],
]);

refuseFlags("refused of the process:", store, [
  ["-u nosuch", "unable to find user nosuch: no matching entries in passwd file"],
  ["-u 0:nosuch", "unable to find group nosuch"],
  ["--group-add nosuch", "nosuch"],
  ["-w relative", "relative"],
  ["-e =x", "invalid environment variable: =x"],
  ["--env-file HOME/nosuch.env", "nosuch.env"],
  ["--env-file HOME/bad.env", "has space"],
  ["--env-file HOME/directory", "directory"],
  ["--stop-signal NOSUCH", "NOSUCH"],
  ["--stop-timeout soon", "soon"],
  ["--oom-score-adj 2000", "2000"],
  ["--attach nosuch", "valid streams are STDIN, STDOUT and STDERR"],
  ["--detach-keys ctrl-nosuch", "ctrl-nosuch"],
  ["--pull sometimes", 'it must be one of "always", "missing" or "never"'],
  ["--pull never --platform linux/s390x", "No such image: busybox:latest for linux/s390x"],
  ["--pull never --platform linux/nosuch", "linux/nosuch"],
  ["--no-such-flag", "unknown flag: --no-such-flag"],
  ["--intractive", "did you mean --interactive?"],
  ["--health-cmd true", "--health-cmd is not supported"],
  ["--health-interval 1s", "--health-interval is not supported"],
  ["--health-retries 1", "--health-retries is not supported"],
  ["--health-start-interval 1s", "--health-start-interval is not supported"],
  ["--health-start-period 1s", "--health-start-period is not supported"],
  ["--health-timeout 1s", "--health-timeout is not supported"],
  ["--tty=perhaps", "perhaps"],
  ["--sig-proxy=perhaps", "perhaps"],
  ["--runtime runc", "--runtime is not supported"],
]);

describe("the process's streams and signals", () => {
  testWith(root, "-i -t: input and output are a terminal of the caller's size", async () => {
    const args = ["run", "--rm", "-i", "-t", "busybox", "sh", "-c", "stty size; read line; echo got $line"];
    const session = store().terminal(args, { columns: 99, rows: 33 });
    await session.waitFor("33 99");
    session.write("hello\n");
    expect(await session.ended()).toBe(0);
    expect(session.stdout).toContain("got hello");
  });

  testWith(root, "-it where standard input is no terminal", async () => {
    const { status, stderr } = await store().galley(["run", "--rm", "-it", "busybox", "true"]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "galley: the input device is not a TTY\n" });
  });

  testWith(root, "-d with -a", async () => {
    const { status, stderr } = await store().galley(["run", "-d", "-a", "stdout", "busybox", "true"]);
    expect(status).toBe(1);
    expect(stderr).toContain("conflicting options: cannot specify both --attach and --detach");
  });

  testWith(root, "--entrypoint replaces the image's, and an empty one takes it away", async () => {
    expect(await store().ok(["run", "--rm", "--entrypoint", "echo", "busybox", "a", "b"])).toBe("a b");
    expect(await store().ok(["run", "--rm", "--entrypoint", "", "busybox", "echo", "c"])).toBe("c");
  });

  testWith(root, "--stop-signal and --stop-timeout are what stop uses", async () => {
    const script = "trap 'echo polite; exit 5' USR1; echo ready; while :; do sleep 0.05; done";
    await store().ok(["run", "-d", "--name", "sig", "--stop-signal", "SIGUSR1", "busybox", "sh", "-c", script]);
    await ready("sig");
    await store().ok(["stop", "sig"]);
    expect(await store().ok(["logs", "sig"])).toBe("ready\npolite");
    const deaf = ["--stop-timeout", "0", "busybox", "sh", "-c", "trap '' TERM; echo ready; sleep 1000"];
    await store().ok(["run", "-d", "--name", "deaf", ...deaf]);
    await ready("deaf");
    await store().ok(["stop", "deaf"]);
    expect(await store().ok(["inspect", "-f", "{{.State.ExitCode}}", "sig", "deaf"])).toBe("5\n137");
    await store().ok(["rm", "sig", "deaf"]);
  });

  testWith(root, "--init reaps what its child leaves and passes signals on", async () => {
    const script = "trap 'exit 9' TERM; (sleep 0.01 &); echo ready; while :; do sleep 0.05; done";
    await store().ok(["run", "-d", "--init", "--name", "init", "busybox", "sh", "-c", script]);
    await ready("init");
    await store().ok(["kill", "-s", "TERM", "init"]);
    expect(await store().ok(["wait", "init"])).toBe("9");
    await store().ok(["rm", "init"]);
  });

  testWith(root, "-d -i keeps the input open for whoever attaches", async () => {
    await store().ok(["run", "-d", "-i", "--name", "in", "busybox", "sh", "-c", "read a; echo got $a"]);
    const { stdout } = await store().galley(["attach", "in"], { stdin: "x\n" });
    expect(stdout).toBe("got x\n");
    await store().ok(["rm", "in"]);
  });

  testWith(root, "--detach-keys leave the container running", async () => {
    const session = store().terminal(["run", "-it", "--detach-keys", "ctrl-a,d", "--name", "keys", "busybox", "sh"]);
    await session.waitFor("#");
    session.write("\x01d");
    expect(await session.ended()).toBe(0);
    expect(await store().ok(["inspect", "-f", "{{.State.Running}}", "keys"])).toBe("true");
    await store().ok(["rm", "-f", "keys"]);
  });

  async function ready(container: string): Promise<void> {
    const session = store().spawn(["logs", "-f", container]);
    await session.waitFor("ready");
    session.kill("SIGKILL");
  }
});
