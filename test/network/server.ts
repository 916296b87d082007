/** Answers on port 80, TCP and UDP, with the client's address; then makes the file that its argument names. */
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";

const address = (text: string | undefined) => (text ?? "").replace("::ffff:", "");
const udp = createSocket("udp4");
udp.on("message", (_, from) => udp.send(from.address, from.port, from.address));
udp.bind(80, "0.0.0.0", () => {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(address(socket.remoteAddress));
  }).listen(80, "0.0.0.0", () => writeFileSync(process.argv[2] ?? "", ""));
});
