/** Asks a server by TCP or UDP (from the port of the last argument) and prints its answer; `refused`, `timeout` or another word where there is none. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [protocol, host = "", port = "", from] = process.argv.slice(2);

function say(words: string): never {
  process.stdout.write(words);
  process.exit(0);
}

function sayFailure(failure: Error): never {
  const refused = (failure as NodeJS.ErrnoException).code === "ECONNREFUSED";
  return say(refused ? "refused" : failure.message);
}

setTimeout(() => say("timeout"), 3000);
if (protocol === "tcp") {
  const socket = connect({ host, port: Number(port), family: 4 });
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("data", (part) => {
    answer += part;
  });
  socket.on("end", () => say(answer));
  socket.on("error", sayFailure);
} else {
  const socket = createSocket("udp4");
  socket.on("message", (words) => say(words.toString()));
  socket.on("error", sayFailure);
  const send = () => socket.send("hello", Number(port), host);
  socket.bind(from === undefined ? 0 : Number(from), () => {
    send();
    setInterval(send, 500);
  });
}
