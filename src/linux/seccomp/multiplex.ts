/**
 * 32-bit x86 has had its socket and System V IPC calls behind two multiplexers, socketcall(2) and ipc(2), whose first argument is
 * the real call (uapi/linux/net.h, uapi/linux/ipc.h). Linux 4.3 gave many of them numbers of their own as well. A rule for such a
 * call must hold for both ways in. Arguments behind the multiplexer lie in memory, where a filter cannot look.
 */
import type { Condition } from "./conditions.ts";

const socketcalls =
  "1 socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg";
const ipcs = "1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl";

export interface Multiplexed {
  readonly through: "socketcall" | "ipc";
  readonly call: number;
}

let calls: ReadonlyMap<string, Multiplexed> | undefined;

/** How 32-bit x86 reaches a call through a multiplexer; undefined for calls that have only a number of their own. */
export function multiplexed(name: string): Multiplexed | undefined {
  calls ??= new Map([...entries("socketcall", socketcalls), ...entries("ipc", ipcs)]);
  return calls.get(name);
}

function entries(through: Multiplexed["through"], table: string): [string, Multiplexed][] {
  const list: [string, Multiplexed][] = [];
  let next = 0;
  for (const word of table.split(" ")) {
    if (/^[0-9]/.test(word)) next = Number(word);
    else list.push([word, { through, call: next++ }]);
  }
  return list;
}

/** A conjunction for the call itself as one for its multiplexer: the condition on argument 0 makes way for the call's number. */
export function behindMultiplexer(conjunction: readonly Condition[], call: number): readonly Condition[] {
  const chosen: Condition = {
    arg: 0,
    op: "eq",
    wide: false,
    high: 0,
    low: call,
    maskHigh: 0,
    maskLow: 0xffff_ffff,
  };
  return [chosen, ...conjunction.filter(({ arg }) => arg !== 0)];
}
