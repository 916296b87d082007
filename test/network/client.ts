/** Asks a server by TCP or UDP and prints its answer; `refused`, `timeout` or another word where there is none. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [protocol, host = "", port = ""] = process.argv.slice(2);

function say(words: string): never {
  process.stdout.write(words);
  process.exit(0);
}

setTimeout(() => say("timeout"), 3000);
if (protocol === "tcp") {
  const socket = connect({ host, port: Number(port), family: 4 });
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.on("end", () => say(Buffer.concat(parts).toString()));
  socket.on("error", (failure) =>
    say((failure as NodeJS.ErrnoException).code === "ECONNREFUSED" ? "refused" : failure.message),
  );
} else {
  const socket = createSocket("udp4");
  socket.on("message", (words) => say(words.toString()));
  socket.on("error", (failure) =>
    say((failure as NodeJS.ErrnoException).code === "ECONNREFUSED" ? "refused" : failure.message),
  );
  const send = () => socket.send("hello", Number(port), host);
  send();
  setInterval(send, 500);
}
