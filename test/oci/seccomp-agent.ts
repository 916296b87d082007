/**
 * A seccomp agent (seccomp_unotify(2)) as a program of its own, as its calls block: `bun seccomp-agent.ts SOCKET CALL ERRNO`. It prints
 * `ready`, then each state that it is sent, a line each. Calls of the number CALL fail with ERRNO, all others go on.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const { i32, u64, ptr: pointer, i64, u32 } = FFIType;
const libc = dlopen("libc.so.6", {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  accept: { args: [i32, u64, u64], returns: i32 },
  recvmsg: { args: [i32, pointer, i32], returns: i64 },
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  poll: { args: [pointer, u64, i32], returns: i32 },
}).symbols;

/** _IOWR('!', 0, struct seccomp_notif), _IOWR('!', 1, struct seccomp_notif_resp). */
const RECEIVE = 0xc050_2100n;
const SEND = 0xc018_2101n;
const CONTINUE = 1;
const POLLIN = 1;

const [path = "", call = "", errno = ""] = process.argv.slice(2);

function listen(): number {
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1);
  address.write(path, 2);
  const socket = libc.socket(1, 1, 0);
  if (libc.bind(socket, ptr(address), address.length) < 0 || libc.listen(socket, 8) < 0) throw new Error("listen");
  return socket;
}

/** A message and the one descriptor that comes with it (struct msghdr, struct cmsghdr). */
function receive(connection: number): { readonly text: string; readonly fd: number } {
  const [text, control] = [Buffer.alloc(8192), Buffer.alloc(64)];
  const slice = Buffer.from(new BigUint64Array([BigInt(ptr(text)), 8192n]).buffer);
  const words = [0n, 0n, BigInt(ptr(slice)), 1n, BigInt(ptr(control)), 64n, 0n];
  const size = libc.recvmsg(connection, ptr(Buffer.from(new BigUint64Array(words).buffer)), 0);
  return { text: text.toString("utf8", 0, Number(size)), fd: control.readInt32LE(16) };
}

function answer(listener: number): void {
  const [notice, response] = [Buffer.alloc(80), Buffer.alloc(24)];
  if (libc.ioctl(listener, RECEIVE, ptr(notice)) < 0) return;
  notice.copy(response, 0, 0, 8);
  if (notice.readInt32LE(16) === Number(call)) response.writeInt32LE(-Number(errno), 16);
  else response.writeUInt32LE(CONTINUE, 20);
  libc.ioctl(listener, SEND, ptr(response));
}

/** The descriptors that have something to tell. */
function ready(fds: readonly number[]): readonly number[] {
  const table = Buffer.alloc(fds.length * 8);
  fds.forEach((fd, index) => {
    table.writeInt32LE(fd, index * 8);
    table.writeInt16LE(POLLIN, index * 8 + 4);
  });
  libc.poll(ptr(table), BigInt(fds.length), -1);
  return fds.filter((_, index) => (table.readInt16LE(index * 8 + 6) & POLLIN) !== 0);
}

const socket = listen();
const listeners: number[] = [];
console.log("ready");
for (;;) {
  for (const fd of ready([socket, ...listeners])) {
    if (fd !== socket) answer(fd);
    else {
      const { text, fd: listener } = receive(libc.accept(socket, 0n, 0n));
      listeners.push(listener);
      console.log(text);
    }
  }
}
